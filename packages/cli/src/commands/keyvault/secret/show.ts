import { connectAzure } from '../../../azure-client/connect.ts';
import { defineCommand } from '../../../program/command.ts';
import { objectName, objectPath, versionedOptions } from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { secretShape } from '../objects/shapes.ts';

export const command = defineCommand({
  description: {
    en: 'Prints a secret with its value on standard output, as az does. `secret download` writes the value to a file that only you can read.',
    ja: 'az と同じく、シークレットを値とともに標準出力に表示します。`secret download` は、本人だけが読めるファイルに値を書き出します。',
  },
  options: versionedOptions,
  examples: [
    {
      line: 'kannuki keyvault secret show --vault-name kv1 -n s1 --query value -o tsv',
      does: { en: 'the value alone', ja: '値のみを表示する' },
    },
  ],
  async run({ options }, context) {
    const named = objectName(options, 'secrets');
    using azure = await connectAzure(options.data, context.environment);
    const { data, secret } = await azure.call({
      plane: { vault: named.vault },
      method: 'GET',
      path: objectPath('secrets', named),
      what: `secret ${named.name} of ${named.vault}`,
      secretMember: 'value',
    });
    using value = secret;
    // The one place where a value becomes text: to be printed is what was asked for.
    const shown = value === undefined ? '' : Buffer.from(value.bytes).toString('utf8');
    return { data: secretShape(data, shown), table: () => objectTable([data], shown) };
  },
});
