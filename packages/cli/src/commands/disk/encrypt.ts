import { KannukiError } from '@kannuki/core';
import { newFileSystems, noVault, VolumeEngine } from '@kannuki/guest';
import { keyIdFor } from '@kannuki/keyvault';
import { defineCommand } from '../../program/command.ts';
import { choice, flag, text } from '../../program/options.ts';
import { workOnAllVolumes, workOnTargets } from './encrypt-work.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  description: {
    en: `The data stays where it is and in use: the volume is away once, for less than two seconds, while dm-crypt is put below the
file system. Before the first block changes, the passphrase is in the vault, read back and compared. A power cut at any
instant is safe: the next boot opens the volume, and the agent goes on by itself; where no agent runs, the same command again
goes on from where it stood. ext4, ext3, ext2 and XFS.
With --format nothing is kept: the volume is made anew, empty, under a LUKS2 header on the disk itself.
Swap space and the temporary disk of the VM get a new random key at each boot, and need no vault.`,
    ja: `データはそのまま、使用中のまま暗号化されます。ファイル システムの下に dm-crypt を入れる間、2 秒未満だけ一度マウントが外れます。
最初のブロックが変わる前に、パスフレーズはキー コンテナーに保存され、読み戻して照合されます。どの瞬間に停電しても安全で、
次回の起動時に開かれ、エージェントが自動で続行します。エージェントがない場合は、同じコマンドをもう一度実行すると続きから再開します。
対応: ext4、ext3、ext2、XFS。
--format を付けると内容は保持されません。ボリュームは空の状態で作り直され、LUKS2 ヘッダーはディスク自体に置かれます。
スワップ領域と VM の一時ディスクには起動のたびに新しいランダムな鍵が使われ、キー コンテナーは不要です。`,
  },
  operands: [
    {
      name: 'target',
      help: { en: 'mount point or device', ja: 'マウント ポイントまたはデバイス' },
      required: false,
      variadic: true,
    },
  ],
  options: {
    vault: vaultOption,
    kek: text('NAME|URL', {
      en: 'key encryption key in the vault that wraps the passphrase',
      ja: 'パスフレーズをラップするキー暗号化キー (KEK)',
    }),
    stopServices: flag({
      en: 'stop systemd services with open files for the unmount, and start them again after it',
      ja: '開いているファイルを持つ systemd サービスをアンマウントの間だけ停止する',
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
  },
  examples: [
    {
      line: 'kannuki disk encrypt /data0 --vault https://kv1.vault.localhost --kek kek1 --stop-services',
      does: { en: 'encrypt /data0, key in vault kv1', ja: '/data0 を暗号化し、鍵を kv1 に保管する' },
    },
    {
      line: 'kannuki disk encrypt /dev/sdc --format --mount-point /data1 --vault https://kv1.vault.localhost',
      does: { en: 'a blank disk becomes an encrypted volume', ja: '空のディスクを暗号化ボリュームにする' },
    },
    {
      line: 'kannuki disk encrypt --format --volume-type DATA --vault https://kv1.vault.localhost',
      does: {
        en: 'make all data volumes anew, after a look at the list',
        ja: '一覧を確認した後、すべてのデータ ボリュームを作り直す',
      },
    },
  ],
  notes: {
    en: 'Do not worry that the line in /etc/fstab is gone afterwards: it has moved to /etc/kannuki/mounts.',
    ja: '完了後に /etc/fstab の行がなくなっていても問題ありません。/etc/kannuki/mounts に移動しています。',
  },
  async run({ options, operands }, context) {
    assertFitting(options, operands);
    const engine = new VolumeEngine({
      onEvent: (event) => {
        if (event.kind === 'progress') context.progress.update(event.progress);
        if (event.kind === 'step')
          context.detail({ en: `${event.volume}: ${event.step}`, ja: `${event.volume}: ${event.step}` });
      },
    });
    const choices = {
      format: options.format,
      wipe: !options.keepOldBlocks,
      stopServices: options.stopServices,
      mountPoint: options.mountPoint,
      fileSystem: options.fsType ?? 'ext4',
    };
    const work =
      options.volumeType === undefined
        ? await workOnTargets(engine, operands, choices, context)
        : await workOnAllVolumes(engine, choices, context);
    const address = options.vault;
    if (address === undefined && work.some(({ needsVault }) => needsVault)) {
      throw new KannukiError('KNK-CLI-0003', { details: { word: '--vault', command: 'kannuki disk encrypt' } });
    }
    await using opened = address === undefined ? undefined : await openDiskVault(address);
    const results: object[] = [];
    try {
      for (const { target, way, needsVault, settle } of work) {
        const vault = needsVault ? (opened ?? noVault) : noVault;
        const journal = await engine.encrypt(
          target,
          {
            vault,
            vaultAddress: needsVault ? (address ?? vault.vaultUri) : '',
            kekId: !needsVault || options.kek === undefined ? null : keyIdFor(vault.vaultUri, options.kek),
            stopServices: options.stopServices,
            signal: context.signal,
          },
          way,
        );
        await settle?.();
        const { name, use, step, passphrase, keySource, downtimeSeconds } = journal;
        results.push({
          volume: name,
          mountPoint: use.kind === 'swap' ? null : use.point,
          state: step === 'finished' ? 'Encrypted' : 'EncryptionInProgress',
          keySource,
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

interface Given {
  readonly format: boolean;
  readonly volumeType: string | undefined;
  readonly mountPoint: string | undefined;
  readonly fsType: string | undefined;
  readonly keepOldBlocks: boolean;
}

/** Options that mean nothing, or something dangerous, without one another. */
function assertFitting(options: Given, targets: readonly string[]): void {
  const { format, volumeType, mountPoint, fsType, keepOldBlocks } = options;
  const problem =
    targets.length === 0 && volumeType === undefined
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
