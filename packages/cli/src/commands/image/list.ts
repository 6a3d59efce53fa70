import { bytesText } from '../../output/progress.ts';
import { defineCommand } from '../../program/command.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

interface Row {
  readonly name: string;
  readonly urn: string;
  readonly sizeBytes: number;
  readonly builtAt: string;
}

export const command = defineCommand({
  options: { data: dataOption },
  examples: [
    { line: 'kannuki image list', does: { en: 'all images of this host', ja: 'このホストのすべてのイメージ' } },
  ],
  async run({ options: { data } }, context) {
    const images = (await connectAdmin(data, context.environment).call('image-list', {})) as readonly Row[];
    return {
      data: images,
      table: () => ({
        columns: [{ title: 'Name' }, { title: 'Urn' }, { title: 'Size' }, { title: 'BuiltAt' }],
        rows: images.map(({ name, urn, sizeBytes, builtAt }) => [name, urn, bytesText(sizeBytes), builtAt]),
      }),
    };
  },
});
