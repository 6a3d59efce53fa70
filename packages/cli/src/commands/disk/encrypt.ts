import { KannukiError } from '@kannuki/core';
import { inPlaceBySpace, type Journal, noVault, VolumeEngine } from '@kannuki/guest';
import { keyIdFor } from '@kannuki/keyvault';
import { defineCommand } from '../../program/command.ts';
import { assertFitting, encryptOptions } from './encrypt-options.ts';
import { workOnAllVolumes, workOnTargets } from './encrypt-work.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { resultsOf } from './outcomes.ts';
import { spaceSentence } from './space-sentence.ts';
import { tellEvents } from './tell-events.ts';

export const command = defineCommand({
  description: {
    en: `The data stays where it is and in use: the volume is away once, for less than two seconds, while dm-crypt is put below the
file system. Before the first block changes, the passphrase is in the vault, read back and compared. A power cut at any
instant is safe: the next boot opens the volume, and the agent goes on by itself; where no agent runs, the same command again
goes on from where it stood. Several volumes go side by side where they lie on different disks. ext4, ext3, ext2, XFS and btrfs.

Of a large and fairly empty ext volume only the used space is converted: the file system is checked and shrunk while it is away, which takes some
seconds more, the rest of the disk is overwritten with zeros, and the file system grows back while it is in use. What both ways would take is shown
before anything is done; where the used space alone takes less than half of the time, and not more than --max-downtime, that is chosen.

With --format nothing is kept: the volume is made anew, empty, under a LUKS2 header on the disk itself.
Swap space and the temporary disk of the VM get a new random key at each boot, and need no vault.`,
    ja: `データはそのまま、使用中のまま暗号化されます。ファイル システムの下に dm-crypt を入れる間、2 秒未満だけ一度マウントが外れます。
最初のブロックが変わる前に、パスフレーズはキー コンテナーに保存され、読み戻して照合されます。どの瞬間に停電しても安全で、
次回の起動時に開かれ、エージェントが自動で続行します。エージェントがない場合は、同じコマンドをもう一度実行すると続きから再開します。複数のボリュームは、ディスクが別であれば並行して処理されます。
対応: ext4、ext3、ext2、XFS、btrfs。

空きの多い大きな ext ボリュームでは、使用領域だけを変換します。停止中にファイル システムを検査して縮小するため数秒長くかかり、ディスクの残りはゼロで上書きされ、
ファイル システムは使用中のまま元の大きさに戻ります。両方の方法の見積もりが事前に表示され、使用領域だけの方が半分未満の時間で済み、
停止時間が --max-downtime 以内であれば、そちらが選ばれます。

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
  options: encryptOptions,
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
    const engine = new VolumeEngine({ onEvent: tellEvents(context) });
    const told = new Set<string>();
    const inPlace = inPlaceBySpace({
      space: options.usedSpaceOnly ? 'used' : options.wholeDisk ? 'whole' : 'automatic',
      maximumDowntimeSeconds: options.maxDowntime ?? null,
      rest: options.fastDiscard ? 'discard' : 'zeros',
      onChoice: (choice) => {
        const sentence = spaceSentence(choice);
        // Several volumes are planned once for all the checks, and again when their turn comes.
        if (told.has(sentence.en)) return;
        told.add(sentence.en);
        context.say(sentence);
        if (choice.chosen === 'used' && options.fastDiscard) context.say(fastDiscardWarning);
      },
    });
    const choices = {
      inPlace,
      format: options.format,
      wipe: !options.keepOldBlocks,
      stopServices: options.stopServices,
      mountPoint: options.mountPoint,
      fileSystem: options.fsType ?? 'ext4',
    } as const;
    const work =
      options.volumeType === undefined
        ? await workOnTargets(engine, operands, choices, context)
        : await workOnAllVolumes(engine, choices, context);
    const address = options.vault;
    const needsVault = work.some((one) => one.needsVault);
    if (address === undefined && needsVault) {
      throw new KannukiError('KNK-CLI-0003', { details: { word: '--vault', command: 'kannuki disk encrypt' } });
    }
    await using opened = address === undefined || !needsVault ? undefined : await openDiskVault(address);
    const jobs = work.map(({ target, way, needsVault: needs }) => {
      const vault = needs ? (opened ?? noVault) : noVault;
      const request = {
        vault,
        vaultAddress: needs ? (address ?? vault.vaultUri) : '',
        kekId: !needs || options.kek === undefined ? null : keyIdFor(vault.vaultUri, options.kek),
        stopServices: options.stopServices,
        maximumRate: options.maxRate ?? null,
        ...(options.cipher === undefined ? {} : { cipher: options.cipher }),
        signal: context.signal,
      };
      return { target, request, way };
    });
    const outcomes = await engine.encryptAll(jobs).finally(() => context.progress.end());
    for (const outcome of outcomes) {
      if ('result' in outcome) await work.find(({ target }) => target === outcome.target)?.settle?.();
    }
    const { results, exitCode } = resultsOf(outcomes, context);
    const data = results.map(rowOf);
    if (exitCode !== 0) return { data, exitCode };
    context.say({
      en: 'Done. The mount entries have moved from /etc/fstab to /etc/kannuki/mounts; that is as it should be.',
      ja: '完了しました。マウントのエントリは /etc/fstab から /etc/kannuki/mounts に移動しました (正常な動作です)。',
    });
    return { data };
  },
});

function rowOf({ name, use, step, passphrase, keySource, downtimeSeconds, usedOnly }: Journal): object {
  return {
    volume: name,
    mountPoint: 'point' in use ? use.point : null,
    state: step === 'finished' ? 'Encrypted' : 'EncryptionInProgress',
    keySource,
    secretId: passphrase?.secretId ?? null,
    kekId: passphrase?.kekId ?? null,
    downtimeSeconds,
    space: usedOnly === undefined ? 'whole' : 'used',
    estimatedDowntimeSeconds: usedOnly === undefined ? null : usedOnly.estimates.usedOnly.downtimeSeconds,
  };
}

const fastDiscardWarning = {
  en: 'Warning: with --fast-discard what lay in the free part of the disk before may still be readable there; --used-space-only alone overwrites it.',
  ja: '警告: --fast-discard では、空き領域に以前あった内容が読み取れる可能性が残ります。指定しなければ上書きされます。',
};
