import { KannukiError } from '@kannuki/core';
import {
  GuestVaults,
  newCiphers,
  type Operation,
  rotateKek,
  rotatePassphrase,
  rotateVolumeKey,
  VolumeEngine,
} from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { choice, flag, text } from '../../program/options.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { resultsOf } from './outcomes.ts';
import { tellEvents } from './tell-events.ts';
import { vaultOption } from './vault-option.ts';

const sectorSizes = { '512': 512, '4096': 4096 } as const;

export const command = defineCommand({
  description: {
    en: `The volume stays mounted and encrypted all the time. The old key goes on working until the new one is in the vault, read back,
compared and tried; a failure before that takes everything back, and a power cut is gone on from by the agent, or by the same
command again. --passphrase changes the key slot, no block of the disk. --kek wraps the same passphrase with another key of the
vault; disk and header are not touched. --volume-key encrypts every block anew and takes as long as the first encryption did.`,
    ja: `ボリュームはマウントされたまま、常に暗号化されています。新しい鍵がキー コンテナーに保存され、読み戻され、照合され、試されるまで、
古い鍵が有効です。それより前に失敗した場合はすべて元に戻り、停電の後はエージェント、または同じコマンドの再実行が続きを行います。
--passphrase はキー スロットだけを変更し、ディスクのブロックは変わりません。--kek は同じパスフレーズをキー コンテナーの別のキーでラップし、
ディスクとヘッダーには触れません。--volume-key は全ブロックを暗号化し直し、最初の暗号化と同じ時間がかかります。`,
  },
  operands: [
    {
      name: 'target',
      help: { en: 'mount point, device or volume name', ja: 'マウント ポイント、デバイス、またはボリューム名' },
      required: true,
      variadic: true,
    },
  ],
  options: {
    passphrase: flag({ en: 'a new passphrase', ja: '新しいパスフレーズ' }),
    kek: text('NAME|URL', {
      en: 'another key encryption key in the vault',
      ja: 'キー コンテナーの別のキー暗号化キー (KEK)',
    }),
    volumeKey: flag({ en: 'a new volume key', ja: '新しいボリューム キー' }),
    cipher: choice(Object.keys(newCiphers), {
      en: 'with --volume-key: another cipher',
      ja: '--volume-key と併用: 別の暗号方式',
    }),
    sectorSize: choice(Object.keys(sectorSizes), {
      en: 'with --volume-key: another size of the encrypted sectors, bytes',
      ja: '--volume-key と併用: 暗号化セクターの別のサイズ (バイト)',
    }),
    vault: vaultOption,
  },
  examples: [
    {
      line: 'kannuki disk rotate /data0 --passphrase',
      does: { en: 'a new passphrase for /data0', ja: '/data0 のパスフレーズを新しくする' },
    },
    {
      line: 'kannuki disk rotate /data0 --volume-key --cipher aes-256-xts',
      does: { en: 'encrypt /data0 anew with a new volume key', ja: '/data0 を新しいボリューム キーで暗号化し直す' },
    },
  ],
  notes: {
    en: 'The old version of the secret stays in the vault; delete or disable it when no backup of the disk needs it. Copies of the header from before the rotation still open with the old passphrase: destroy them.',
    ja: 'シークレットの古いバージョンはキー コンテナーに残ります。ディスクのバックアップに不要になったら削除または無効化してください。ローテーション前のヘッダーのコピーは古いパスフレーズで開けるため、破棄してください。',
  },
  async run({ options, operands }, context) {
    const engine = new VolumeEngine({ onEvent: tellEvents(context) });
    await using vaults = new GuestVaults(openDiskVault, options.vault);
    const operation = operationOf(options);
    const outcomes = await engine
      .operateAll(operands, operation, (uri) => vaults.of(uri), context.signal)
      .finally(() => context.progress.end());
    const { results, exitCode } = resultsOf(outcomes, context);
    const listed = await engine.list();
    const data = results.map(({ name, passphrase }) => {
      const volume = listed.find((one) => one.name === name);
      return {
        volume: name,
        operation: operation.name,
        mountPoint: volume?.mountPoint ?? null,
        state: volume?.state ?? null,
        secretId: passphrase?.secretId ?? null,
        kekId: passphrase?.kekId ?? null,
      };
    });
    return { data, exitCode };
  },
});

interface Wishes {
  readonly passphrase: boolean;
  readonly kek: string | undefined;
  readonly volumeKey: boolean;
  readonly cipher: string | undefined;
  readonly sectorSize: string | undefined;
}

/** @throws KannukiError KNK-CLI-0005 unless exactly one thing is to be rotated */
function operationOf({ passphrase, kek, volumeKey, cipher, sectorSize }: Wishes): Operation {
  const count = [passphrase, kek !== undefined, volumeKey].filter(Boolean).length;
  if (count !== 1) throw usage('exactly one of --passphrase, --kek and --volume-key is needed');
  if (!volumeKey && (cipher !== undefined || sectorSize !== undefined)) {
    throw usage('--cipher and --sector-size go with --volume-key');
  }
  if (kek !== undefined) return rotateKek(kek);
  if (passphrase) return rotatePassphrase;
  const newCipher = cipher === undefined ? undefined : newCiphers[cipher];
  return rotateVolumeKey({
    ...(newCipher === undefined ? {} : { cipher: newCipher }),
    ...(sectorSize === undefined ? {} : { sectorSize: sectorSizes[sectorSize as keyof typeof sectorSizes] }),
  });
}

function usage(problem: string): KannukiError {
  return new KannukiError('KNK-CLI-0005', { details: { problem, command: 'kannuki disk rotate' } });
}
