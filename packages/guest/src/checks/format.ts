import { readdir } from 'node:fs/promises';
import type { Finding } from '@kannuki/core';
import type { BlockDevice, GuestFacts, Volume } from '../facts/model.ts';
import { mountAt } from '../facts/mount-table.ts';
import { deviceOfMount, isOnOsDisk } from '../targets/devices.ts';
import type { Traces } from '../volumes/blank.ts';
import { checkLastingName } from './clones.ts';
import { found, mebibytes, nameOf } from './finding.ts';
import { isOsFolder } from './mounts.ts';
import { checkPlaceOf } from './skip.ts';

const mebibyte = 1024 * 1024;
/** The header takes 16 MiB of the device, and mkfs.xfs(8) makes nothing under 300 MiB. */
const leastBytes: Readonly<Record<string, number>> = { xfs: 316 * mebibyte };

/** A device that is too small for what is to be made on it. */
export function checkFormatSize({ path, sizeBytes }: BlockDevice, fileSystem: string): Finding[] {
  const least = leastBytes[fileSystem] ?? 0;
  if (sizeBytes >= least) return [];
  return [
    found(
      'refuse',
      'REQ-246',
      path,
      {
        en: `${path} has ${mebibytes(sizeBytes)}; ${fileSystem} with the header beside it needs ${mebibytes(least)}`,
        ja: `${path} の容量は ${mebibytes(sizeBytes)} です。${fileSystem} とヘッダーには ${mebibytes(least)} が必要です`,
      },
      { en: 'enlarge the disk, or use ext4', ja: 'ディスクを拡張するか、ext4 を使用してください' },
    ),
  ];
}

/** What is made anew: ext and XFS. Of the others not all that lies on the device can be seen through one mount. */
export const formattedTypes: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'xfs']);

export function checkFormatType({ path }: BlockDevice, fileSystem: string): Finding[] {
  if (formattedTypes.has(fileSystem)) return [];
  return [
    found(
      'refuse',
      'REQ-246',
      path,
      {
        en: `${path} holds ${fileSystem}; --format makes ext2, ext3, ext4 and XFS anew`,
        ja: `${path} のファイル システムは ${fileSystem} です。--format で作り直せるのは ext2、ext3、ext4、XFS です`,
      },
      {
        en: 'leave --format away to encrypt it in place, or empty the disk (`wipefs`) and format it as a blank one',
        ja: '--format を外してそのまま暗号化するか、ディスクを空にして (`wipefs`) 空のディスクとして作成してください',
      },
    ),
  ];
}

/** A disk that carries a group of LVM: what is on it are other volumes, each mounted or not. */
export function carriesGroup({ path }: BlockDevice): Finding {
  return found(
    'refuse',
    'REQ-246',
    path,
    {
      en: `${path} is a physical volume of LVM and no mounted file system; --format makes a file system anew`,
      ja: `${path} は LVM の物理ボリュームで、マウントされたファイル システムではありません。--format はファイル システムを作り直すものです`,
    },
    {
      en: 'name a logical volume that is mounted; or leave --format away: the disk is encrypted below the group, and everything is kept',
      ja: 'マウントされている論理ボリュームを指定してください。--format を外すと、内容を保持したままグループの下でディスクが暗号化されます',
    },
  );
}

/** Files that nobody confirmed may go. */
export function notConfirmed(volume: Volume): Finding {
  const point = nameOf(volume);
  return found(
    'refuse',
    'REQ-246',
    point,
    {
      en: `${point} (${volume.device.path}) holds files, and it was not confirmed that they may be lost`,
      ja: `${point} (${volume.device.path}) にはファイルがあり、消去してよいことが確認されていません`,
    },
    {
      en: `confirm it by name: \`kannuki disk encrypt ${point} --format --yes\`; to keep the files leave --format away`,
      ja: `\`kannuki disk encrypt ${point} --format --yes\` で名前を指定して確認してください。ファイルを残す場合は --format を外してください`,
    },
  );
}

/** In a request for all volumes that is made again. */
export function cameLater(point: string, device: string): Finding {
  return found(
    'warn',
    'REQ-246',
    point,
    {
      en: `${point} (${device}) holds files and was not there when the request was confirmed; it is left as it is`,
      ja: `${point} (${device}) にはファイルがあり、要求の確認時には存在しなかったため、そのまま残します`,
    },
    {
      en: `to lose them, name it: \`kannuki disk encrypt ${point} --format --yes\`; to keep them: \`kannuki disk encrypt ${point}\``,
      ja: `消去する場合は \`kannuki disk encrypt ${point} --format --yes\`、残す場合は \`kannuki disk encrypt ${point}\` を実行してください`,
    },
  );
}

/** Existing LVM and RAID volumes are not touched by a request for all (REQ-257). */
export function leftToLvmOrRaid(volume: Volume): Finding {
  const { device } = volume;
  return found(
    'note',
    'REQ-257',
    nameOf(volume),
    {
      en: `${device.path} is of type ${device.type}; a request for all volumes formats none of LVM or RAID`,
      ja: `${device.path} の種類は ${device.type} です。全ボリュームの要求では LVM と RAID は初期化しません`,
    },
    { en: 'name it, if it is to be formatted', ja: '初期化する場合は名前を指定してください' },
  );
}

/** A device that is to get its first file system: blank, of a kind that can be encrypted, and a place to mount it at. */
export async function checkBlankDevice(
  facts: GuestFacts,
  volume: Volume,
  { mountPoint, traces }: { readonly mountPoint: string; readonly traces: Traces },
): Promise<Finding[]> {
  return [
    ...checkPlaceOf(facts, volume.device),
    ...checkBlank(volume, traces),
    ...(await checkNewPoint(facts, mountPoint)),
    ...checkLastingName(facts, volume),
  ];
}

const seen: Readonly<Record<Exclude<Traces, 'nothing'>, { readonly en: string; readonly ja: string }>> = {
  signature: { en: 'a file system or container', ja: 'ファイル システムまたはコンテナー' },
  'partition-table': { en: 'a partition table or another signature', ja: 'パーティション テーブルまたは他の識別情報' },
  data: {
    en: 'data that nothing recognises, e.g. an encrypted volume whose header lies elsewhere',
    ja: '種類を判別できないデータ (ヘッダーが別の場所にある暗号化ボリュームなど)',
  },
};

function checkBlank({ device, mount }: Volume, traces: Traces): Finding[] {
  if (traces === 'nothing') return [];
  const { path } = device;
  const remedy =
    mount === null
      ? {
          en: `mount it by a line in /etc/fstab and look what it holds; if all of it may go, erase it: \`blkdiscard --zeroout ${path}\``,
          ja: `/etc/fstab に記載してマウントし、内容を確認してください。すべて消去してよい場合は \`blkdiscard --zeroout ${path}\` を実行してください`,
        }
      : {
          en: `leave --mount-point away: a mounted volume is formatted where it is, after a confirmation`,
          ja: `--mount-point を外してください。マウント済みのボリュームは、確認の後その場所で初期化されます`,
        };
  return [
    found(
      'refuse',
      'REQ-246',
      path,
      {
        en: `${path} is not blank: it holds ${seen[traces].en}`,
        ja: `${path} は空ではありません: ${seen[traces].ja}があります`,
      },
      remedy,
    ),
  ];
}

async function checkNewPoint(facts: GuestFacts, point: string): Promise<Finding[]> {
  const wrong = await wrongPoint(facts, point);
  if (wrong === undefined) return [];
  return [
    found('refuse', 'REQ-246', point, wrong, {
      en: 'give another folder with --mount-point: absolute, empty or not there yet, and in no line of /etc/fstab',
      ja: '--mount-point に別のフォルダーを指定してください。絶対パスで、空か未作成であり、/etc/fstab に記載がないことが必要です',
    }),
  ];
}

async function wrongPoint(
  facts: GuestFacts,
  point: string,
): Promise<{ readonly en: string; readonly ja: string } | undefined> {
  if (!/^\/(?!.*(?:\/\/|\/\.{1,2}(?:\/|$)|\/$|[\n\0])).{1,255}$/.test(point)) {
    return { en: `${point} is no absolute path`, ja: `${point} は絶対パスではありません` };
  }
  const below = mountAt(facts.mounts, point);
  const device = below === undefined ? undefined : deviceOfMount(facts, below);
  if (below !== undefined && below.point !== point && device !== undefined && !isOnOsDisk(facts, device)) {
    return {
      en: `${point} lies inside the volume at ${below.point}`,
      ja: `${point} は ${below.point} のボリュームの中にあります`,
    };
  }
  if (isOsFolder(point)) return { en: `${point} is a folder of the OS`, ja: `${point} は OS のフォルダーです` };
  if (facts.mounts.some((mount) => mount.point === point)) {
    return { en: `something is mounted at ${point}`, ja: `${point} にはすでにマウントされています` };
  }
  if (facts.fstab.some(({ entry }) => entry !== null && [entry.point, entry.realPoint].includes(point))) {
    return { en: `/etc/fstab has a line for ${point}`, ja: `${point} は /etc/fstab に記載されています` };
  }
  try {
    if ((await readdir(point)).length > 0) return { en: `${point} is not empty`, ja: `${point} は空ではありません` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return { en: `${point} is no folder`, ja: `${point} はフォルダーではありません` };
    if (code !== 'ENOENT') throw error;
  }
  return undefined;
}
