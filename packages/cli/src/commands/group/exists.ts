import { connectAzure } from '../../azure-client/connect.ts';
import { groupExists } from '../../azure-client/resources.ts';
import { defineCommand } from '../../program/command.ts';
import { groupOptions } from './group-options.ts';

export const command = defineCommand({
  description: {
    en: 'Prints true or false; both end with 0.',
    ja: 'true または false を表示します。どちらも終了コードは 0 です。',
  },
  options: groupOptions,
  examples: [{ line: 'kannuki group exists -n rg1', does: { en: 'true or false', ja: 'true または false' } }],
  async run({ options: { name, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    return { data: await groupExists(azure, name) };
  },
});
