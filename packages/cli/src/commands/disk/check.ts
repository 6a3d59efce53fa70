import { exitCodes, isRefused } from '@kannuki/core';
import { checkMachineVolumes } from '@kannuki/guest';
import { volumeTypes } from '@kannuki/support';
import { findingsData, findingsTable } from '../../output/findings.ts';
import { defineCommand } from '../../program/command.ts';
import { choice, flag } from '../../program/options.ts';

export const command = defineCommand({
  description: {
    en: `Looks at modules, fstab, mounts, open files, free space and versions, and lists everything that stands in the way, not just
the first thing. Without a target: all data volumes; one that cannot be encrypted is skipped with its reason.`,
    ja: `モジュール、fstab、マウント、開いているファイル、空き容量、版を調べ、妨げになるものを最初の 1 つだけでなくすべて表示します。
対象を省略するとすべてのデータ ボリュームを調べ、暗号化できないものは理由を示してスキップします。`,
  },
  operands: [
    {
      name: 'target',
      help: {
        en: 'mount point, device, link below /dev/disk, or UUID=…',
        ja: 'マウント ポイント、デバイス、/dev/disk 以下のリンク、または UUID=…',
      },
      required: false,
      variadic: true,
    },
  ],
  options: {
    volumeType: choice(volumeTypes, {
      en: 'volumes to check where no target is given; default DATA',
      ja: '対象を省略したときに調べるボリューム。既定は DATA',
    }),
    stopServices: flag({
      en: 'check as for `disk encrypt --stop-services`',
      ja: '`disk encrypt --stop-services` と同じ条件で調べる',
    }),
  },
  examples: [
    { line: 'kannuki disk check', does: { en: 'all data volumes', ja: 'すべてのデータ ボリューム' } },
    {
      line: 'kannuki disk check /data0 --stop-services -o json; echo $?',
      does: { en: 'for a script: exit code 0 = yes, 10 = refused', ja: 'スクリプト用: 終了コード 0 = 可、10 = 不可' },
    },
  ],
  async run({ options, operands }, { language }) {
    const { volumeType = 'DATA', stopServices } = options;
    const { volumes, findings } = await checkMachineVolumes({ targets: operands, volumeType, stopServices });
    const supported = !isRefused(findings);
    return {
      data: {
        supported,
        volumes: volumes.map(({ device, mount }) => ({
          device: device.path,
          mountPoint: mount?.point ?? null,
          fileSystem: device.signature?.type ?? null,
          sizeBytes: device.sizeBytes,
        })),
        findings: findingsData(findings, language),
      },
      table: () => findingsTable(findings, language),
      summary: summaryOf(supported, volumes.length),
      exitCode: supported ? exitCodes.done : exitCodes.refused,
    };
  },
});

function summaryOf(supported: boolean, volumes: number) {
  if (!supported) return { en: 'Refused; nothing was changed.', ja: '暗号化できません。何も変更していません。' };
  if (volumes === 0) return { en: 'There is no volume to encrypt.', ja: '暗号化するボリュームはありません。' };
  return { en: `Ready to encrypt: ${volumes}.`, ja: `暗号化できるボリューム: ${volumes} 個。` };
}
