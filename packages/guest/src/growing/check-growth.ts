import type { Finding, Text } from '@kannuki/core';
import type { Segment } from '@kannuki/formats';
import { found, mebibytes } from '../checks/finding.ts';
import type { BlockDevice, GuestFacts } from '../facts/model.ts';
import { isOnOsDisk } from '../targets/devices.ts';
import { type ArrayFact, hasHeader, type LayerDetails } from './details.ts';
import type { FileSystemLayer, Layer, MappingLayer } from './layers.ts';
import { growthOf, type NoGrowth, type PartitionTable } from './partition-table.ts';

const rule = 'REQ-255';

/**
 * What stands in the way of taking a larger disk along. Everything is looked at before the first layer grows, since a disk whose
 * partition has grown and whose file system cannot is of no use to anybody.
 */
export function checkGrowth(facts: GuestFacts, layers: readonly Layer[], details: LayerDetails): readonly Finding[] {
  // Of any layer: a group may have a physical volume on the disk of the OS (REQ-256).
  const ofOs = layers.find(({ device }) => isOnOsDisk(facts, device));
  if (ofOs !== undefined) return [onOsDisk(ofOs.device)];
  return layers.flatMap((layer) => findingsOf(layer, details));
}

function findingsOf(layer: Layer, details: LayerDetails): readonly Finding[] {
  switch (layer.kind) {
    case 'partition':
      return checkPartition(layer.device, layer.disk, details);
    case 'array':
      return checkArray(layer.device, details.arrays.get(layer.device.kernelName));
    case 'mapping':
      return checkMapping(layer, details.segments.get(layer.device.kernelName) ?? []);
    case 'logical-volume':
      return checkLogicalVolume(layer.device, details);
    case 'file-system':
      return checkFileSystem(layer, details);
    case 'unknown':
      return [unknown(layer.device)];
    case 'disk':
    case 'physical-volume':
      return [];
  }
}

function refuse(device: BlockDevice, message: Text, remedy: Text, of = rule): Finding {
  return found('refuse', of, device.path, message, remedy);
}

function onOsDisk(device: BlockDevice): Finding {
  return refuse(
    device,
    {
      en: 'it lies on the disk of the OS, and only data disks are grown',
      ja: 'OS のディスク上にあります。拡張できるのはデータ ディスクだけです',
    },
    {
      en: 'grow the OS disk with the tools of the distribution',
      ja: 'OS ディスクはディストリビューションのツールで拡張してください',
    },
    'REQ-292',
  );
}

const partitionProblems: Readonly<Record<NoGrowth, readonly [Text, Text]>> = {
  'not-last': [
    {
      en: 'another partition lies behind it on the disk, so there is no room to grow into',
      ja: 'ディスク上でこのパーティションの後ろに別のパーティションがあるため、拡張する余地がありません',
    },
    {
      en: 'only the last partition of a disk can grow; add a disk instead, or move the other partition away',
      ja: '拡張できるのは最後のパーティションだけです。ディスクを追加するか、後ろのパーティションを移動してください',
    },
  ],
  'no-room-for-table': [
    {
      en: 'the first partition begins right behind the partition table, so the table cannot be rewritten in a way that a power cut does not harm',
      ja: '最初のパーティションがパーティション テーブルの直後から始まるため、停電に対して安全にテーブルを書き換えられません',
    },
    {
      en: 'grow the partition with sfdisk or parted, on a machine that will not lose power, then give this command again',
      ja: '電源が切れない環境で sfdisk や parted を使ってパーティションを拡張してから、再実行してください',
    },
  ],
  'beyond-end': [
    {
      en: 'its partition table is of a larger disk than this one is',
      ja: 'パーティション テーブルが、実際より大きいディスクのものです',
    },
    {
      en: 'a disk that was made smaller has lost its end: do not write to it, and look at `dmesg` and the disk of the host',
      ja: '縮小されたディスクは末尾が失われています。書き込まずに、`dmesg` とホスト側のディスクを確認してください',
    },
  ],
  'other-table': [
    {
      en: 'its disk has a partition table that is neither GPT nor MBR',
      ja: 'パーティション テーブルが GPT でも MBR でもありません',
    },
    {
      en: 'grow the partition with the tool that made it, then give this command again',
      ja: '作成に使ったツールでパーティションを拡張してから、再実行してください',
    },
  ],
  unknown: [
    {
      en: 'the partition table of its disk does not tell of it',
      ja: 'ディスクのパーティション テーブルにこのパーティションがありません',
    },
    {
      en: 'the table was changed since the boot: reboot first',
      ja: '起動後にテーブルが変更されています。先に再起動してください',
    },
  ],
};

function checkPartition(device: BlockDevice, disk: BlockDevice, details: LayerDetails): readonly Finding[] {
  const table: PartitionTable = details.tables.get(disk.kernelName) ?? { label: 'other', name: '' };
  const number = details.partitionNumbers.get(device.kernelName) ?? 0;
  const { sizeBytes: diskBytes, logicalSectorBytes: sectorBytes } = disk;
  const growth = growthOf(table, { number, diskBytes, sectorBytes });
  return typeof growth === 'string' ? [refuse(device, ...partitionProblems[growth])] : [];
}

/** Levels whose members may all become larger. */
const growingLevels = new Set(['raid1', 'raid4', 'raid5', 'raid6', 'raid10']);
/** With these the superblock is at the beginning; at the end it would be lost from sight as soon as the member is larger. */
const superblockFirst = new Set(['1.1', '1.2']);

function checkArray(device: BlockDevice, array: ArrayFact | undefined): readonly Finding[] {
  const { level = '', metadataVersion = '' } = array ?? {};
  if (!growingLevels.has(level)) {
    return [
      refuse(
        device,
        {
          en: `an array of level ${level || '?'} does not grow with its disks`,
          ja: `レベル ${level || '?'} のアレイは、ディスクとともに拡張できません`,
        },
        { en: 'make a larger array and copy the data', ja: 'より大きいアレイを作成し、データをコピーしてください' },
      ),
    ];
  }
  if (superblockFirst.has(metadataVersion)) return [];
  return [
    refuse(
      device,
      {
        en: `the array has its superblocks (version ${metadataVersion || '?'}) at the end of its disks: once a disk is larger, the next boot does not find it there`,
        ja: `アレイのスーパーブロック (バージョン ${metadataVersion || '?'}) がディスクの末尾にあります。ディスクが大きくなると、次回の起動時に見つかりません`,
      },
      {
        en: 'run `mdadm --grow --size=max` before the next reboot; arrays with metadata 1.2 are grown by this command',
        ja: '次の再起動の前に `mdadm --grow --size=max` を実行してください。このコマンドはメタデータ 1.2 のアレイを拡張できます',
      },
    ),
  ];
}

function checkMapping({ device, below, journal }: MappingLayer, segments: readonly Segment[]): readonly Finding[] {
  if (journal === undefined) {
    return [
      refuse(
        device,
        {
          en: 'this mapping is not of Kannuki, and its passphrase is not in the vault',
          ja: 'このマッピングは Kannuki のものではなく、パスフレーズがキー コンテナーにありません',
        },
        { en: 'grow it by hand: cryptsetup resize', ja: 'cryptsetup resize を使って手動で拡張してください' },
      ),
    ];
  }
  if (!hasHeader(journal)) {
    return [
      refuse(
        device,
        {
          en: 'the volume has a new random key at each boot, and is made anew then',
          ja: 'このボリュームは起動のたびに新しいランダムな鍵で作り直されます',
        },
        {
          en: 'reboot: it gets the size that its disk has then',
          ja: '再起動してください。その時点のディスクのサイズになります',
        },
      ),
    ];
  }
  const [segment, ...others] = segments;
  if (segment?.crypt === null || segment?.size !== 'dynamic' || others.length > 0) {
    return [
      refuse(
        device,
        {
          en: 'its header gives it a fixed size, or says that a conversion is not over',
          ja: 'ヘッダーでサイズが固定されているか、変換が完了していません',
        },
        {
          en: '`kannuki disk list` shows a conversion; let it end first',
          ja: '`kannuki disk list` で変換の状態を確認し、先に完了させてください',
        },
      ),
    ];
  }
  return below.parents.length === 0 ? checkWholeSectors(below, segment) : [];
}

/** cryptsetup does not open a device of which a part of a sector is left over, so this is no matter of growing alone. */
export function checkWholeSectors(
  below: BlockDevice,
  { offset, crypt }: Segment,
  sizeBytes = below.sizeBytes,
): readonly Finding[] {
  const rest = (sizeBytes - Number(offset)) % (crypt?.sectorSize ?? 1);
  if (rest === 0) return [];
  const missing = (crypt?.sectorSize ?? 0) - rest;
  return [
    refuse(
      below,
      {
        en: `the disk has ${sizeBytes} bytes, which is no whole number of encrypted sectors of ${crypt?.sectorSize} bytes: the next boot cannot open it`,
        ja: `ディスクのサイズ ${sizeBytes} バイトが、暗号化セクター ${crypt?.sectorSize} バイトの倍数ではありません。次回の起動時に開けません`,
      },
      {
        en: `before the next reboot make the disk larger by ${missing} bytes, or to a whole number of MiB`,
        ja: `次の再起動の前に、ディスクを ${missing} バイト拡張するか、MiB 単位のサイズにしてください`,
      },
    ),
  ];
}

function checkLogicalVolume(device: BlockDevice, { logicalVolumes }: LayerDetails): readonly Finding[] {
  const volume = logicalVolumes.get(device.kernelName);
  if (volume?.layout === 'linear' && !volume.hasSnapshots) return [];
  return [
    refuse(
      device,
      {
        en: `only a logical volume of layout linear and without snapshots is given what is free in its group; this one: ${volume?.layout ?? '?'}`,
        ja: `グループの空き領域を割り当てられるのは、スナップショットのない linear の論理ボリュームだけです。現在: ${volume?.layout ?? '?'}`,
      },
      {
        en: 'name the physical volume instead, which makes its group larger, then use lvextend',
        ja: '代わりに物理ボリュームを指定してグループを拡張し、lvextend を使用してください',
      },
    ),
  ];
}

function checkFileSystem({ device, mount, type }: FileSystemLayer, details: LayerDetails): readonly Finding[] {
  if (mount?.options.includes('rw') === true) {
    return details.withOldDriver.has(device.kernelName) ? [oldDriver(device)] : [];
  }
  const isReadOnly = mount !== null;
  return [
    refuse(
      device,
      isReadOnly
        ? {
            en: `its file system (${type}) is mounted read-only`,
            ja: `ファイル システム (${type}) が読み取り専用でマウントされています`,
          }
        : {
            en: `its file system (${type}) is not mounted, and file systems are grown in use`,
            ja: `ファイル システム (${type}) がマウントされていません。拡張は使用中に行われます`,
          },
      {
        en: 'mount it for reading and writing, then run the command again',
        ja: '読み書き可能でマウントしてから再実行してください',
      },
    ),
  ];
}

function oldDriver(device: BlockDevice): Finding {
  return refuse(
    device,
    {
      en: "its file system is mounted by the kernel's old ext2 driver, which cannot grow it in use",
      ja: 'ファイル システムがカーネルの古い ext2 ドライバーでマウントされており、使用中に拡張できません',
    },
    {
      en: 'write ext4 as its type in /etc/fstab (for an encrypted volume in /etc/kannuki/mounts), mount it again, and run the command again; nothing on it changes',
      ja: '/etc/fstab (暗号化済みの場合は /etc/kannuki/mounts) の種類を ext4 にして再マウントし、再実行してください。内容は変わりません',
    },
  );
}

function unknown(device: BlockDevice): Finding {
  const { signature, children, type, sizeBytes } = device;
  if (signature?.type === 'swap') {
    return refuse(
      device,
      { en: 'swap space does not grow: it is made', ja: 'スワップ領域は拡張できず、作り直す必要があります' },
      { en: 'make it anew: swapoff, mkswap, swapon', ja: 'swapoff、mkswap、swapon で作り直してください' },
    );
  }
  if (children.length > 1) {
    return refuse(
      device,
      {
        en: `several volumes lie on it (${children.join(', ')})`,
        ja: `複数のボリュームがあります (${children.join(', ')})`,
      },
      { en: 'name the one that is to grow', ja: '拡張するボリュームを指定してください' },
    );
  }
  const seen = signature?.type ?? type;
  return refuse(
    device,
    {
      en: `nothing here knows how to grow what lies on it or what it is (${seen}, ${mebibytes(sizeBytes)})`,
      ja: `内容または種類を拡張する方法がありません (${seen}、${mebibytes(sizeBytes)})`,
    },
    {
      en: 'ext2, ext3, ext4, XFS and btrfs, partitions, LVM, RAID and volumes of Kannuki that are open can grow',
      ja: '拡張できるのは ext2、ext3、ext4、XFS、btrfs、パーティション、LVM、RAID、および開いている Kannuki のボリュームです',
    },
  );
}
