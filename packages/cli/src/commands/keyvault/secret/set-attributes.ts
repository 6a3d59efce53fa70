import { connectAzure } from '../../../azure-client/connect.ts';
import { tagsOf } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { text, toggle } from '../../../program/options.ts';
import {
  attributesOf,
  objectName,
  objectPath,
  tagsOption,
  validityOptions,
  versionedOptions,
} from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { secretShape } from '../objects/shapes.ts';

export const command = defineCommand({
  options: {
    ...versionedOptions,
    enabled: toggle({ en: 'may be read', ja: '有効にする' }),
    ...validityOptions,
    contentType: text('TYPE', { en: 'what it is, for its readers', ja: 'コンテンツの種類' }),
    tags: tagsOption,
  },
  examples: [
    {
      line: 'kannuki keyvault secret set-attributes --vault-name kv1 -n s1 --enabled false',
      does: { en: 'nobody can read it until it is enabled again', ja: '再び有効にするまで読み取れないようにする' },
    },
  ],
  async run({ options }, context) {
    const named = objectName(options, 'secrets');
    const { contentType, tags } = options;
    using azure = await connectAzure(options.data, context.environment);
    const { data } = await azure.call({
      plane: { vault: named.vault },
      method: 'PATCH',
      path: objectPath('secrets', named),
      body: {
        attributes: attributesOf(options),
        ...(contentType === undefined ? {} : { contentType }),
        ...(tags.length === 0 ? {} : { tags: tagsOf(tags) }),
      },
      what: `secret ${named.name} of ${named.vault}`,
    });
    return { data: secretShape(data), table: () => objectTable([data]) };
  },
});
