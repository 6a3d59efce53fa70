import type { VolumeStatus } from '@kannuki/core';
import { VolumeEngine } from '@kannuki/guest';
import { bytesText } from '../../output/progress.ts';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  description: {
    en: 'State and percent come from the kernel and from the header on disk at this moment, never from what was asked for.',
    ja: '状態と割合は、要求された内容ではなく、現時点のカーネルとディスク上のヘッダーから取得します。',
  },
  options: {},
  examples: [
    { line: 'kannuki disk list', does: { en: 'all volumes as a table', ja: 'すべてのボリュームを表で表示する' } },
    {
      line: "kannuki disk list -o json --query '[?state!=`Encrypted`].mountPoint'",
      does: { en: 'mount points that are not encrypted', ja: '暗号化されていないマウント ポイント' },
    },
  ],
  async run(_input, { language }) {
    const volumes = await new VolumeEngine().list();
    const titles =
      language === 'ja'
        ? ['名前', 'デバイス', 'FS', 'マウント', 'サイズ', '状態', '%', '鍵']
        : ['Name', 'Device', 'FS', 'Mount', 'Size', 'State', '%', 'Key'];
    return {
      data: volumes,
      table: () => ({
        columns: titles.map((title, index) => ({ title, align: index === 4 || index === 6 ? 'right' : 'left' })),
        rows: volumes.map((volume) => [
          volume.name,
          volume.device,
          volume.fileSystem ?? '-',
          volume.mountPoint ?? '-',
          bytesText(volume.sizeBytes),
          stateText(volume),
          String(volume.operation?.percent ?? volume.percent),
          volume.keySource,
        ]),
      }),
    };
  },
});

function stateText({ state, operation, paused }: VolumeStatus): string {
  const notes = [operation?.name, paused === true ? 'paused' : undefined].filter((note) => note !== undefined);
  return notes.length === 0 ? state : `${state} (${notes.join(', ')})`;
}
