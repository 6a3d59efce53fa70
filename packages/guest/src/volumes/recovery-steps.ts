import type { Text } from '@kannuki/core';
import { headerPlace } from './header-place.ts';
import type { Journal } from './journal.ts';
import type { EnginePaths } from './paths.ts';
import { useOf } from './uses/uses.ts';

/** One thing to do, and the command that does it where there is one. */
export interface RecoveryStep {
  readonly what: Text;
  readonly command: string | null;
}

/**
 * How a person with a rescue system and stock tools opens a volume without Kannuki (rule 3 of ARCHITECTURE.md). No secret is in
 * the steps: the passphrase goes from the vault into a file in memory by the reader's own hand.
 */
export function recoverySteps(journal: Journal, paths: EnginePaths): readonly RecoveryStep[] {
  if (journal.keySource === 'random') return [nothingToRecover(journal)];
  const header = headerPlace(journal, paths);
  const { passphrase, device, name } = journal;
  const use = useOf(journal);
  const mapper = `/dev/mapper/${name}`;
  // A volume that was formatted carries its header itself; `cryptsetup luksDump` shows it.
  const onDisk = journal.header.place === 'disk';
  const wrapped = passphrase !== null && passphrase.kekId !== null;
  return [
    {
      what: {
        en: 'Boot any Linux with cryptsetup 2.4 or newer and become root. Find the disk; check size and serial number.',
        ja: 'cryptsetup 2.4 以降を備えた任意の Linux を起動し、root になります。ディスクを見つけ、サイズとシリアル番号を確認します。',
      },
      command: `lsblk --output NAME,SIZE,SERIAL   # wanted: ${device.sizeBytes} bytes, serial ${device.serial ?? 'none'}; it was ${device.path}`,
    },
    ...(onDisk ? [] : [copyHeader(header)]),
    {
      what: {
        en: `Read the secret ${passphrase?.secretId ?? '(none yet)'} from the vault${wrapped ? `, unwrap it with ${passphrase.kekId} (${passphrase.algorithm})` : ''}, and put the 172 characters, without a newline, into a file in memory.`,
        ja: `コンテナーからシークレット ${passphrase?.secretId ?? '(まだありません)'} を読み取り${wrapped ? `、${passphrase.kekId} (${passphrase.algorithm}) でラップを解除し` : ''}、172 文字を改行なしでメモリ上のファイルに保存します。`,
      },
      command:
        'mount -t tmpfs -o mode=0700,noswap tmpfs /mnt/key 2>/dev/null || mount -t tmpfs -o mode=0700 tmpfs /mnt/key',
    },
    {
      what: {
        en: 'Open the volume. If a conversion was under way this also puts right what a power cut left half-written.',
        ja: 'ボリュームを開きます。変換の途中であれば、停電で書きかけになった部分もここで修復されます。',
      },
      command: `cryptsetup open ${onDisk ? '' : '--header /root/header.luks '}--key-file /mnt/key/passphrase ${device.path} ${name}`,
    },
    {
      what: {
        en: `Take it into use; it must show ${use.wanted}. Never run "cryptsetup reencrypt" by hand on it: a run that was cut at its very end would encrypt everything a second time.`,
        ja: `使用を開始します。${use.wanted} が見えるはずです。手動で "cryptsetup reencrypt" を実行しないでください。終了間際に中断された変換では全体が二重に暗号化されます。`,
      },
      command: `blkid ${mapper} && ${use.enterByHand(mapper)}`,
    },
    {
      what: { en: 'Afterwards let go of it and close.', ja: '終わったら使用を終えて閉じます。' },
      command: `${use.leaveByHand()} && cryptsetup close ${name} && umount /mnt/key`,
    },
    ...(onDisk ? [] : headerFileSteps(journal, use.name)),
  ];
}

/** Of a volume that was encrypted in place. */
function copyHeader(header: string): RecoveryStep {
  return {
    what: {
      en: 'Mount the OS disk of the VM and copy the header from it; work on the copy.',
      ja: 'VM の OS ディスクをマウントしてヘッダーをコピーし、コピーに対して作業します。',
    },
    command: `cp /mnt/os${header} /root/header.luks`,
  };
}

function nothingToRecover({ name, device }: Journal): RecoveryStep {
  return {
    what: {
      en: `${name} gets a new random key at each boot, which nobody keeps: there is nothing to recover on ${device.path}. Without Kannuki the boot opens it all the same; to end that, take its line out of /etc/crypttab.`,
      ja: `${name} には起動のたびに新しいランダムな鍵が使われ、鍵は保管されません。${device.path} に復旧できるデータはありません。Kannuki がなくても起動時に開かれます。やめるには /etc/crypttab から行を削除してください。`,
    },
    command: null,
  };
}

/** What there is besides for a header that is a file: making it anew, and the kit. */
function headerFileSteps({ name, device }: Journal, target: string): readonly RecoveryStep[] {
  return [
    {
      what: {
        en: 'If the header file is lost or damaged: on the VM, with the volume closed, it is made anew from the vault.',
        ja: 'ヘッダー ファイルが失われたか壊れた場合: VM 上でボリュームを閉じた状態で、キー コンテナーから再構築します。',
      },
      command: `kannuki disk recover ${target} --rebuild-header`,
    },
    {
      what: {
        en: 'With a recovery kit, in place of steps 2 to 4: cryptsetup asks for the passphrase of the kit. A kit from before a change of the volume key, a decryption or another conversion must not be used.',
        ja: 'リカバリー キットがある場合は、手順 2 ～ 4 の代わりに次を実行します (キットのパスフレーズを尋ねられます)。ボリューム キーの変更、復号、その他の変換より前に作成したキットは使用しないでください。',
      },
      command: `cryptsetup open --header KIT ${device.path} ${name}`,
    },
  ];
}
