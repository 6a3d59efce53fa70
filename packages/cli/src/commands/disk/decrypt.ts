import type { VolumeStatus } from '@kannuki/core';
import { decryption, endRandomKey, GuestVaults, VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { flag } from '../../program/options.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { resultsOf } from './outcomes.ts';
import { tellEvents } from './tell-events.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  description: {
    en: `Back to plain, where the data is and while it is in use: cryptsetup decrypts block after block, then the old line of
/etc/fstab comes back byte for byte, and the volume is away once, for about a second, while its mapping goes. Header and secret are
needed until the last block is plain and on the disk: only then the header is wiped, and the secrets are disabled in the vault, not
deleted. A power cut at any instant is safe: the next boot opens the volume, and the agent goes on by itself; where no agent
runs, the same command again goes on from where it stood.`,
    ja: `データはそのまま、使用中のまま復号されます。cryptsetup がブロックを順に復号し、次に /etc/fstab の元の行がバイト単位で元に戻り、
マッピングを外す間だけ約 1 秒、一度マウントが外れます。ヘッダーとシークレットは最後のブロックの復号がディスクに書き込まれるまで残され、
その後ヘッダーは消去され、シークレットはコンテナー内で無効になります (削除はされません)。どの瞬間に停電しても安全で、次回の起動時に開かれ、
エージェントが自動で続行します。エージェントがない場合は、同じコマンドをもう一度実行すると続きから再開します。`,
  },
  operands: [
    {
      name: 'target',
      help: {
        en: 'mount point, device or volume name',
        ja: 'マウント ポイント、デバイス、またはボリューム名',
      },
      required: true,
      variadic: true,
    },
  ],
  options: {
    vault: vaultOption,
    stopServices: flag({
      en: 'stop systemd services with open files for the unmount at the end, and start them again after it',
      ja: '開いているファイルを持つ systemd サービスを最後のアンマウントの間だけ停止する',
    }),
  },
  examples: [
    {
      line: 'kannuki disk decrypt /data0 --stop-services',
      does: { en: 'make /data0 plain again', ja: '/data0 を暗号化されていない状態に戻す' },
    },
  ],
  notes: {
    en: 'A volume whose header is on the disk itself (it was formatted encrypted) is refused. The vault is the one that the volume was encrypted with; --vault takes another address of it.',
    ja: 'ヘッダーがディスク上にあるボリューム (暗号化してフォーマットされたもの) は拒否されます。コンテナーは暗号化時のものが使われ、--vault で別のアドレスを指定できます。',
  },
  async run({ options, operands }, context) {
    await using vaults = new GuestVaults(openDiskVault, options.vault);
    const engine = new VolumeEngine({ onEvent: tellEvents(context) });
    const operation = decryption({ stopServices: options.stopServices });
    const listed = await engine.list();
    const outcomes = await engine
      .sideBySide(operands, (target) => {
        const way = hasRandomKey(listed, target) ? endRandomKey : operation;
        return engine.operate(target, way, (vaultUri) => vaults.of(vaultUri), context.signal);
      })
      .finally(() => context.progress.end());
    const { results, exitCode } = resultsOf(outcomes, context);
    const data = results.map(({ name, use, passphrase, downtimeSeconds }) => ({
      volume: name,
      mountPoint: use.kind === 'mount' ? use.point : null,
      state: 'NotEncrypted',
      secretId: passphrase?.secretId ?? null,
      downtimeSeconds,
    }));
    if (exitCode !== 0) return { data, exitCode };
    context.say({
      en: 'Done. The entries are back in /etc/fstab; the secrets are still in the vault, disabled, for old copies of the disk.',
      ja: '完了しました。エントリは /etc/fstab に戻りました。シークレットは、古いディスクの複製のために無効な状態でコンテナーに残っています。',
    });
    return { data };
  },
});

/** Swap space and the temporary disk: there is nothing to decrypt, they are made anew in plain. */
function hasRandomKey(volumes: readonly VolumeStatus[], target: string): boolean {
  return volumes.some(
    ({ keySource, mountPoint, device, name }) => keySource === 'random' && [mountPoint, device, name].includes(target),
  );
}
