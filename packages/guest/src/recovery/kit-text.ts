import type { Journal } from '../volumes/journal.ts';
import { useOf } from '../volumes/uses/uses.ts';

export interface KitFacts {
  /** File name of the kit, without folder. */
  readonly file: string;
  readonly machine: string;
  readonly madeAt: Date;
  readonly luksUuid: string;
  readonly volume: Pick<Journal, 'name' | 'device' | 'use'>;
}

/** What is written beside a kit: how to open the volume with it, and when it is worth nothing any more. No secret is in it. */
export function kitText({ file, machine, madeAt, luksUuid, volume }: KitFacts): string {
  const { name, device } = volume;
  const use = useOf(volume);
  const serial = device.serial ?? 'none';
  const open = `cryptsetup open --header ${file} /dev/THE-DISK ${name}`;
  const check = `blkid /dev/mapper/${name}`;
  const enter = use.enterByHand(`/dev/mapper/${name}`);
  const leave = use.leaveByHand();
  return `RECOVERY KIT of volume ${name} (${use.name}) of ${machine}
made ${madeAt.toISOString()}; LUKS UUID ${luksUuid}

What it is: ${file} is a LUKS2 header. With the passphrase that was shown or given when it was
made, and with the disk, it opens the volume. No vault and no Kannuki is needed.
Keep file and passphrase apart from each other, and neither on the disk itself.

1. Boot any Linux with cryptsetup 2.4 or newer and become root. Find the disk:
     lsblk --output NAME,SIZE,SERIAL
   wanted: ${device.sizeBytes} bytes, serial ${serial}; it was ${device.path}
2. Open it. cryptsetup asks for the passphrase:
     ${open}
3. It must show ${use.wanted}:
     ${check}
   If it shows anything else, or nothing: close it, write nothing, run no fsck. The kit is too old, or
   it is another disk.
4. Take it into use, and copy what you need:
     ${enter}
5. Afterwards:
     ${leave} && cryptsetup close ${name}

THE KIT IS TOO OLD as soon as the volume key was changed, or the volume was decrypted or converted in any
other way. Then destroy it and make a new one (kannuki disk recover ${use.name} --kit FILE). A new passphrase
in the vault does not touch the kit: it goes on opening the volume until the volume key is changed.
Never run "cryptsetup reencrypt" with it.

----------------------------------------------------------------------

リカバリー キット: ${machine} のボリューム ${name} (${use.name})
作成 ${madeAt.toISOString()}、LUKS UUID ${luksUuid}

${file} は LUKS2 ヘッダーです。作成時に表示または指定したパスフレーズとディスクがあれば、
キー コンテナーも Kannuki もなしでボリュームを開けます。
ファイルとパスフレーズは別々に保管し、どちらもこのディスク自体には置かないでください。

1. cryptsetup 2.4 以降を備えた任意の Linux を起動し、root になってディスクを見つけます。
     lsblk --output NAME,SIZE,SERIAL
   対象: ${device.sizeBytes} バイト、シリアル番号 ${serial}、以前の名前は ${device.path}
2. 開きます。cryptsetup がパスフレーズを尋ねます。
     ${open}
3. ${use.wanted} が表示されることを確認します。
     ${check}
   別のものが表示される場合や何も表示されない場合は、閉じて、何も書き込まず、fsck も実行しないでください。
   キットが古いか、別のディスクです。
4. 使用を開始し、必要なものをコピーします。
     ${enter}
5. 終わったら:
     ${leave} && cryptsetup close ${name}

ボリューム キーの変更、復号、その他の変換を行うと、このキットは古くなり使えません。破棄して作り直してください
(kannuki disk recover ${use.name} --kit FILE)。キー コンテナーのパスフレーズを更新してもキットには影響せず、
ボリューム キーを変更するまで開けます。このキットで "cryptsetup reencrypt" を実行しないでください。
`;
}
