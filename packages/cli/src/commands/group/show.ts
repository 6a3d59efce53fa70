import { connectAzure } from '../../azure-client/connect.ts';
import { groupPath, resourceApiVersion } from '../../azure-client/resources.ts';
import { defineCommand } from '../../program/command.ts';
import { groupOptions } from './group-options.ts';

export const command = defineCommand({
  options: groupOptions,
  examples: [{ line: 'kannuki group show -n rg1', does: { en: 'the group rg1', ja: 'グループ rg1 を表示する' } }],
  async run({ options: { name, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const reply = await azure.call({
      plane: 'management',
      method: 'GET',
      path: await groupPath(azure, name),
      apiVersion: resourceApiVersion,
      what: `resource group ${name}`,
    });
    return { data: reply.data };
  },
});
