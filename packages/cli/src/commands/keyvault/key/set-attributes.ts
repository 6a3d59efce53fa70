import { connectAzure } from '../../../azure-client/connect.ts';
import { tagsOf } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { toggle } from '../../../program/options.ts';
import {
  attributesOf,
  objectName,
  objectPath,
  tagsOption,
  validityOptions,
  versionedOptions,
} from '../objects/object-options.ts';
import { objectTable } from '../objects/object-table.ts';
import { keyShape } from '../objects/shapes.ts';
import { opsOption } from './create.ts';

export const command = defineCommand({
  options: {
    ...versionedOptions,
    enabled: toggle({ en: 'may be used', ja: '有効にする' }),
    ...validityOptions,
    ops: opsOption,
    tags: tagsOption,
  },
  examples: [
    {
      line: 'kannuki keyvault key set-attributes --vault-name kv1 -n kek1 --enabled false',
      does: { en: 'cannot be used until it is enabled again', ja: '再び有効にするまで使用できないようにする' },
    },
  ],
  async run({ options }, context) {
    const named = objectName(options, 'keys');
    const { ops, tags } = options;
    using azure = await connectAzure(options.data, context.environment);
    const { data } = await azure.call({
      plane: { vault: named.vault },
      method: 'PATCH',
      path: objectPath('keys', named),
      body: {
        attributes: attributesOf(options),
        ...(ops.length === 0 ? {} : { key_ops: ops }),
        ...(tags.length === 0 ? {} : { tags: tagsOf(tags) }),
      },
      what: `key ${named.name} of ${named.vault}`,
    });
    return { data: keyShape(data), table: () => objectTable([data]) };
  },
});
