import type { Text } from '@kannuki/core';
import { type GrownLayer, type GrowthReport, GuestVaults, VolumeGrowth } from '@kannuki/guest';
import { bytesText } from '../../output/progress.ts';
import { defineCommand } from '../../program/command.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { resultsOf } from './outcomes.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  description: {
    en: `After its disk was made larger: partition, RAID, dm-crypt, LVM and file system follow, from the disk up, while the volume is
in use. An encrypted volume stays encrypted, and a plain one is grown as well. The vault is asked for the passphrase when the mapping of
an encrypted volume has to be resized. A power cut at any instant is safe: give the same command again. Where there
is nothing to do it does nothing.`,
    ja: `ディスクを拡張した後、パーティション、RAID、dm-crypt、LVM、ファイル システムを、ディスク側から順に、使用中のまま拡張します。
暗号化されたボリュームは暗号化されたままです。暗号化されていないボリュームも拡張できます。暗号化されたボリュームのマッピングの
サイズを変更するときに、キー コンテナーからパスフレーズを取得します。どの瞬間に停電しても安全で、同じコマンドをもう一度実行すると
続きから再開します。拡張するものがなければ何もしません。`,
  },
  operands: [
    {
      name: 'target',
      help: {
        en: 'mount point, device, logical volume or volume name',
        ja: 'マウント ポイント、デバイス、論理ボリューム、またはボリューム名',
      },
      required: true,
      variadic: true,
    },
  ],
  options: { vault: vaultOption },
  examples: [
    {
      line: 'kannuki disk grow /data0',
      does: { en: 'give /data0 all that its disk has now', ja: '/data0 をディスクの現在のサイズまで拡張する' },
    },
    {
      line: 'kannuki disk grow /dev/sdc',
      does: {
        en: 'for a physical volume of LVM: make the group larger, and no logical volume',
        ja: 'LVM の物理ボリュームの場合: グループだけを拡張し、論理ボリュームは変更しない',
      },
    },
  ],
  notes: {
    en: 'Only the last partition of a disk can grow. A logical volume that is named, or that is mounted where was named, gets all that is free in its group. Not for the disk of the OS, swap space and the temporary disk.',
    ja: '拡張できるのはディスクの最後のパーティションだけです。指定した論理ボリューム (またはそのマウント ポイント) には、グループの空き領域がすべて割り当てられます。OS のディスク、スワップ領域、一時ディスクは対象外です。',
  },
  async run({ options, operands }, context) {
    await using vaults = new GuestVaults(openDiskVault, options.vault);
    const growth = new VolumeGrowth({ onLayer: (layer) => context.detail(sentenceOf(layer)) });
    const outcomes: ({ target: string; result: GrowthReport } | { target: string; error: unknown })[] = [];
    // One after the other: several may lie on the same disk.
    for (const target of operands) {
      try {
        outcomes.push({ target, result: await growth.grow(target, (vaultUri) => vaults.of(vaultUri)) });
      } catch (error) {
        outcomes.push({ target, error });
      }
    }
    const { results, exitCode } = resultsOf(outcomes, context);
    const rows = results.flatMap(({ target, layers }) => layers.map((layer) => ({ target, ...layer })));
    const titles =
      context.language === 'ja'
        ? ['対象', '層', 'デバイス', '変更前', '変更後']
        : ['Target', 'Layer', 'Device', 'Before', 'After'];
    return {
      data: results,
      exitCode,
      summary: summaryOf(rows),
      table: () => ({
        columns: titles.map((title, index) => ({ title, align: index > 2 ? 'right' : 'left' })),
        rows: rows.map(({ target, layer, device, bytesBefore, bytesAfter }) => [
          target,
          layer,
          device,
          bytesText(bytesBefore),
          bytesText(bytesAfter),
        ]),
      }),
    };
  },
});

function sentenceOf({ layer, device, bytesBefore, bytesAfter }: GrownLayer): Text {
  const sizes = `${bytesText(bytesBefore)} -> ${bytesText(bytesAfter)}`;
  return { en: `${layer} ${device}: ${sizes}`, ja: `${layer} ${device}: ${sizes}` };
}

function summaryOf(layers: readonly GrownLayer[]): Text {
  const grown = layers.filter(({ bytesBefore, bytesAfter }) => bytesAfter > bytesBefore).length;
  if (grown === 0) {
    return {
      en: 'Nothing to do: every layer has all that its disk has.',
      ja: '変更はありません。すべての層がディスクのサイズに達しています。',
    };
  }
  return { en: `Done: ${grown} layers have grown.`, ja: `完了しました。${grown} 個の層を拡張しました。` };
}
