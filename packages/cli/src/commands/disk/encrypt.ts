import { VolumeEngine } from '@kannuki/guest';
import { keyIdFor } from '@kannuki/keyvault';
import { defineCommand } from '../../program/command.ts';
import { flag, text } from '../../program/options.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  description: {
    en: `The data stays where it is and in use: the volume is away once, for less than two seconds, while dm-crypt is put below the
file system. Before the first block changes, the passphrase is in the vault, read back and compared. A power cut at any
instant is safe: the next boot opens the volume, and the agent goes on by itself; where no agent runs, the same command again
goes on from where it stood. ext4, ext3, ext2 and XFS.`,
    ja: `データはそのまま、使用中のまま暗号化されます。ファイル システムの下に dm-crypt を入れる間、2 秒未満だけ一度マウントが外れます。
最初のブロックが変わる前に、パスフレーズはキー コンテナーに保存され、読み戻して照合されます。どの瞬間に停電しても安全で、
次回の起動時に開かれ、エージェントが自動で続行します。エージェントがない場合は、同じコマンドをもう一度実行すると続きから再開します。
対応: ext4、ext3、ext2、XFS。`,
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
    await using vault = await openDiskVault(options.vault ?? '');
    const engine = new VolumeEngine({
      onEvent: (event) => {
        if (event.kind === 'progress') context.progress.update(event.progress);
        if (event.kind === 'step')
          context.detail({ en: `${event.volume}: ${event.step}`, ja: `${event.volume}: ${event.step}` });
      },
    });
    const results: object[] = [];
    try {
      for (const target of operands) {
        const journal = await engine.encrypt(target, {
          vault,
          vaultAddress: options.vault ?? vault.vaultUri,
          kekId: options.kek === undefined ? null : keyIdFor(vault.vaultUri, options.kek),
          stopServices: options.stopServices,
          signal: context.signal,
        });
        const { name, use, step, passphrase, downtimeSeconds } = journal;
        results.push({
          volume: name,
          mountPoint: use.kind === 'mount' ? use.point : null,
          state: step === 'finished' ? 'Encrypted' : 'EncryptionInProgress',
          secretId: passphrase?.secretId ?? null,
          kekId: passphrase?.kekId ?? null,
          downtimeSeconds,
        });
      }
    } finally {
      context.progress.end();
    }
    context.say({
      en: 'Done. The mount entries have moved from /etc/fstab to /etc/kannuki/mounts; that is as it should be.',
      ja: '完了しました。マウントのエントリは /etc/fstab から /etc/kannuki/mounts に移動しました (正常な動作です)。',
    });
    return { data: results };
  },
});
