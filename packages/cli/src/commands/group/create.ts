import { connectAzure } from '../../azure-client/connect.ts';
import { groupPath, resourceApiVersion, tagsOf } from '../../azure-client/resources.ts';
import { defineCommand } from '../../program/command.ts';
import { list, text } from '../../program/options.ts';
import { groupOptions } from './group-options.ts';

export const command = defineCommand({
  options: {
    ...groupOptions,
    location: text('LOCATION', { en: 'region', ja: 'リージョン' }, { short: 'l', required: true }),
    tags: list('NAME=VALUE', { en: 'tags', ja: 'タグ' }),
  },
  examples: [
    { line: 'kannuki group create -n rg1 -l local', does: { en: 'make the group rg1', ja: 'グループ rg1 を作成する' } },
  ],
  async run({ options: { name, location, tags, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const reply = await azure.call({
      plane: 'management',
      method: 'PUT',
      path: await groupPath(azure, name),
      apiVersion: resourceApiVersion,
      body: { location, ...(tags.length === 0 ? {} : { tags: tagsOf(tags) }) },
      what: `resource group ${name}`,
    });
    return { data: reply.data };
  },
});
