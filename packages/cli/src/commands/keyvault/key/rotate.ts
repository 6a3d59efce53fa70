import { connectAzure } from '../../../azure-client/connect.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { defineCommand } from '../../../program/command.ts';
import { objectName, objectOptions } from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { keyShape } from '../objects/shapes.ts';

export const command = defineCommand({
  description: {
    en: 'Makes a new version of a key, of the same kind and size. Old versions go on unwrapping what they wrapped.',
    ja: '同じ種類とサイズの新しいバージョンを作成します。以前のバージョンでラップしたものは引き続きラップ解除できます。',
  },
  options: objectOptions,
  examples: [
    {
      line: 'kannuki keyvault key rotate --vault-name kv1 -n kek1',
      does: { en: 'a new version', ja: '新しいバージョンを作成する' },
    },
  ],
  async run({ options }, context) {
    const { vault, name } = objectName(options, 'keys');
    using azure = await connectAzure(options.data, context.environment);
    const path = pathOf('keys', name, 'rotate');
    const { data } = await azure.call({ plane: { vault }, method: 'POST', path, what: `key ${name} of ${vault}` });
    return { data: keyShape(data), table: () => objectTable([data]) };
  },
});
