import { KannukiError } from '@kannuki/core';
import { ciphers, inPlaceBySpace, VolumeEngine } from '@kannuki/guest';
import { keyIdFor } from '@kannuki/keyvault';
import { defineCommand } from '../../program/command.ts';
import { choice, flag, number, text } from '../../program/options.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { resultsOf } from './outcomes.ts';
import { rateOption } from './rate-option.ts';
import { spaceSentence } from './space-sentence.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  description: {
    en: `The data stays where it is and in use: the volume is away once, for less than two seconds, while dm-crypt is put below the
file system. Before the first block changes, the passphrase is in the vault, read back and compared. A power cut at any
instant is safe: the next boot opens the volume, and the agent goes on by itself; where no agent runs, the same command again
goes on from where it stood. Several volumes go side by side where they lie on different disks. ext4, ext3, ext2, XFS and btrfs.

Of a large and fairly empty ext volume only the used space is converted: the file system is checked and shrunk while it is away, which takes some
seconds more, the rest of the disk is overwritten with zeros, and the file system grows back while it is in use. What both ways would take is shown
before anything is done; where the used space alone takes less than half of the time, and not more than --max-downtime, that is chosen.`,
    ja: `データはそのまま、使用中のまま暗号化されます。ファイル システムの下に dm-crypt を入れる間、2 秒未満だけ一度マウントが外れます。
最初のブロックが変わる前に、パスフレーズはキー コンテナーに保存され、読み戻して照合されます。どの瞬間に停電しても安全で、
次回の起動時に開かれ、エージェントが自動で続行します。エージェントがない場合は、同じコマンドをもう一度実行すると続きから再開します。複数のボリュームは、ディスクが別であれば並行して処理されます。
対応: ext4、ext3、ext2、XFS、btrfs。

空きの多い大きな ext ボリュームでは、使用領域だけを変換します。停止中にファイル システムを検査して縮小するため数秒長くかかり、ディスクの残りはゼロで上書きされ、
ファイル システムは使用中のまま元の大きさに戻ります。両方の方法の見積もりが事前に表示され、使用領域だけの方が半分未満の時間で済み、
停止時間が --max-downtime 以内であれば、そちらが選ばれます。`,
  },
  operands: [
    {
      name: 'target',
      help: { en: 'mount point or device', ja: 'マウント ポイントまたはデバイス' },
      required: true,
      variadic: true,
    },
  ],
  options: {
    vault: { ...vaultOption, required: true },
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
    wait: flag({ en: 'wait for the last block (the default)', ja: '最後のブロックまで待つ (既定の動作)' }),
  },
  examples: [
    {
      line: 'kannuki disk encrypt /data0 --vault https://kv1.vault.localhost --kek kek1 --stop-services',
      does: { en: 'encrypt /data0, key in vault kv1', ja: '/data0 を暗号化し、鍵を kv1 に保管する' },
    },
  ],
  notes: {
    en: 'Do not worry that the line in /etc/fstab is gone afterwards: it has moved to /etc/kannuki/mounts.',
    ja: '完了後に /etc/fstab の行がなくなっていても問題ありません。/etc/kannuki/mounts に移動しています。',
  },
  async run({ options, operands }, context) {
    if (options.usedSpaceOnly && options.wholeDisk) {
      const problem = '--used-space-only and --whole-disk exclude each other';
      throw new KannukiError('KNK-CLI-0005', { details: { problem, command: 'kannuki disk encrypt' } });
    }
    const way = inPlaceBySpace({
      space: options.usedSpaceOnly ? 'used' : options.wholeDisk ? 'whole' : 'automatic',
      maximumDowntimeSeconds: options.maxDowntime ?? null,
      rest: options.fastDiscard ? 'discard' : 'zeros',
      onChoice: (choice) => {
        context.say(spaceSentence(choice));
        if (choice.chosen === 'used' && options.fastDiscard) context.say(fastDiscardWarning);
      },
    });
    await using vault = await openDiskVault(options.vault ?? '');
    const engine = new VolumeEngine({
      onEvent: (event) => {
        if (event.kind === 'progress') context.progress.update(event.progress);
        if (event.kind === 'finding') {
          const { subject, message, remedy } = event.finding;
          context.say({
            en: `${subject}: ${message.en}; ${remedy.en}`,
            ja: `${subject}: ${message.ja}。${remedy.ja}`,
          });
        }
        if (event.kind === 'step')
          context.detail({ en: `${event.volume}: ${event.step}`, ja: `${event.volume}: ${event.step}` });
        if (event.kind === 'no-mirror') {
          context.say({
            en: `${event.volume}: /boot is not on a device of its own, so the header has no second place while the conversion runs.`,
            ja: `${event.volume}: /boot が別のデバイス上にないため、変換中はヘッダーの控えを別の場所に置けません。`,
          });
        }
      },
    });
    const request = {
      vault,
      vaultAddress: options.vault ?? vault.vaultUri,
      kekId: options.kek === undefined ? null : keyIdFor(vault.vaultUri, options.kek),
      stopServices: options.stopServices,
      maximumRate: options.maxRate ?? null,
      ...(options.cipher === undefined ? {} : { cipher: options.cipher }),
      signal: context.signal,
    };
    const outcomes = await engine.encryptAll(operands, request, way).finally(() => context.progress.end());
    const { results, exitCode } = resultsOf(outcomes, context);
    const data = results.map(({ name, use, step, passphrase, downtimeSeconds, usedOnly }) => ({
      volume: name,
      mountPoint: use.kind === 'mount' ? use.point : null,
      state: step === 'finished' ? 'Encrypted' : 'EncryptionInProgress',
      secretId: passphrase?.secretId ?? null,
      kekId: passphrase?.kekId ?? null,
      downtimeSeconds,
      space: usedOnly === undefined ? 'whole' : 'used',
      estimatedDowntimeSeconds: usedOnly === undefined ? null : usedOnly.estimates.usedOnly.downtimeSeconds,
    }));
    if (exitCode !== 0) return { data, exitCode };
    context.say({
      en: 'Done. The mount entries have moved from /etc/fstab to /etc/kannuki/mounts; that is as it should be.',
      ja: '完了しました。マウントのエントリは /etc/fstab から /etc/kannuki/mounts に移動しました (正常な動作です)。',
    });
    return { data };
  },
});

const fastDiscardWarning = {
  en: 'Warning: with --fast-discard what lay in the free part of the disk before may still be readable there; --used-space-only alone overwrites it.',
  ja: '警告: --fast-discard では、空き領域に以前あった内容が読み取れる可能性が残ります。指定しなければ上書きされます。',
};
