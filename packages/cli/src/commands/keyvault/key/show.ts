import { connectAzure } from '../../../azure-client/connect.ts';
import { defineCommand } from '../../../program/command.ts';
import { objectName, objectPath, versionedOptions } from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { keyShape } from '../objects/shapes.ts';

export const command = defineCommand({
  options: versionedOptions,
  examples: [
    {
      line: 'kannuki keyvault key show --vault-name kv1 -n kek1 --query key.kid',
      does: { en: 'id of the newest version', ja: '最新バージョンの ID' },
    },
  ],
  async run({ options }, context) {
    const named = objectName(options, 'keys');
    using azure = await connectAzure(options.data, context.environment);
    const { data } = await azure.call({
      plane: { vault: named.vault },
      method: 'GET',
      path: objectPath('keys', named),
      what: `key ${named.name} of ${named.vault}`,
    });
    return { data: keyShape(data), table: () => objectTable([data]) };
  },
});
