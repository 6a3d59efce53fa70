import { KannukiError } from '@kannuki/core';
import { ciphers, newFileSystems } from '@kannuki/guest';
import { choice, flag, number, text } from '../../program/options.ts';
import { rateOption } from './rate-option.ts';
import { vaultOption } from './vault-option.ts';

export const encryptOptions = {
  vault: vaultOption,
  kek: text('NAME|URL', {
    en: 'key encryption key in the vault that wraps the passphrase',
    ja: 'パスフレーズをラップするキー暗号化キー (KEK)',
  }),
  stopServices: flag({
    en: 'stop systemd services with open files for the unmount, and start them again after it',
    ja: '開いているファイルを持つ systemd サービスをアンマウントの間だけ停止する',
  }),
  maxRate: rateOption,
  cipher: choice(ciphers, {
    en: 'default aes-xts-plain64 with 256-bit AES; Adiantum is for processors without AES instructions, and a note says where it pays',
    ja: '既定は 256 ビット AES の aes-xts-plain64。Adiantum は AES 命令のないプロセッサ向けで、効果がある場合はその旨が表示される',
  }),
  usedSpaceOnly: flag({
    en: 'convert the used space only, whatever the estimate says (ext2, ext3, ext4)',
    ja: '見積もりにかかわらず使用領域だけを変換する (ext2、ext3、ext4)',
  }),
  wholeDisk: flag({
    en: 'convert every block: the shortest downtime',
    ja: '全ブロックを変換する (停止時間が最も短い)',
  }),
  maxDowntime: number('SECONDS', {
    en: 'longest downtime, as estimated, for the used space only; default 10 where Kannuki chooses',
    ja: '使用領域だけを変換するときに許す停止時間の見積もりの上限。自動選択での既定は 10',
  }),
  fastDiscard: flag({
    en: 'with the used space only: discard the rest of the disk instead of overwriting it; old data may stay readable there',
    ja: '使用領域だけを変換するとき、残りを上書きせず破棄する。以前のデータが読み取れる可能性が残る',
  }),
  format: flag({
    en: 'make the volume anew; ALL FILES ON IT ARE LOST, after a confirmation',
    ja: 'ボリュームを作り直す。確認の後、すべてのファイルが失われます',
  }),
  volumeType: choice(['DATA'], {
    en: 'with --format and without a target: all mounted data volumes of the first such request',
    ja: '--format と共に、対象を省略して指定: 最初の要求の時点でマウント済みのすべてのデータ ボリューム',
  }),
  mountPoint: text('FOLDER', {
    en: 'with --format, for a blank disk: where the new volume is mounted from now on',
    ja: '--format と共に、空のディスクに対して: 新しいボリュームをマウントするフォルダー',
  }),
  fsType: choice(newFileSystems, {
    en: 'file system for a blank disk; default ext4',
    ja: '空のディスクに作成するファイル システム。既定は ext4',
  }),
  keepOldBlocks: flag({
    en: 'with --format: faster, but what was on the disk stays readable on it until it is written over',
    ja: '--format と共に: 高速だが、以前の内容は上書きされるまでディスク上で読み取れる',
  }),
  wait: flag({ en: 'wait for the last block (the default)', ja: '最後のブロックまで待つ (既定の動作)' }),
} as const;

interface Given {
  readonly usedSpaceOnly: boolean;
  readonly wholeDisk: boolean;
  readonly format: boolean;
  readonly volumeType: string | undefined;
  readonly mountPoint: string | undefined;
  readonly fsType: string | undefined;
  readonly keepOldBlocks: boolean;
}

/** Options that mean nothing, or something dangerous, without one another. */
export function assertFitting(options: Given, targets: readonly string[]): void {
  const { format, volumeType, mountPoint, fsType, keepOldBlocks } = options;
  const problem =
    options.usedSpaceOnly && options.wholeDisk
      ? '--used-space-only and --whole-disk exclude each other'
      : targets.length === 0 && volumeType === undefined
        ? 'a target is missing'
        : targets.length > 0 && volumeType !== undefined
          ? "'--volume-type' and a target exclude each other"
          : !format && (volumeType ?? mountPoint ?? fsType) !== undefined
            ? "'--volume-type', '--mount-point' and '--fs-type' need '--format'"
            : !format && keepOldBlocks
              ? "'--keep-old-blocks' needs '--format'"
              : mountPoint !== undefined && targets.length !== 1
                ? "'--mount-point' is for one blank disk"
                : fsType !== undefined && mountPoint === undefined
                  ? "'--fs-type' needs '--mount-point'; a mounted volume keeps its type"
                  : undefined;
  if (problem !== undefined) {
    throw new KannukiError('KNK-CLI-0005', { details: { problem, command: 'kannuki disk encrypt' } });
  }
}
