import type { Finding } from '@kannuki/core';
import type { GuestFacts, MountFact, Volume } from '../facts/model.ts';
import { isInside, mountAt } from '../facts/mount-table.ts';
import { deviceOfMount, isOnOsDisk, mountsOf, osDisks } from '../targets/devices.ts';
import { found, nameOf } from './finding.ts';

/** Only what is mounted is encrypted (REQ-089); what fstab does not bring up is not touched (REQ-047). */
export function checkMounted(_facts: GuestFacts, volume: Volume): Finding[] {
  if (volume.mount !== null) return [];
  const entry = volume.fstab?.entry;
  const rule = entry === undefined || entry === null ? 'REQ-089' : 'REQ-047';
  const { path } = volume.device;
  const line = `/etc/fstab:${volume.fstab?.lineNumber}`;
  return [
    found(
      'refuse',
      rule,
      nameOf(volume),
      rule === 'REQ-089'
        ? {
            en: `${path} is not mounted; only mounted volumes are encrypted`,
            ja: `${path} はマウントされていません。暗号化するのはマウント済みのボリュームだけです`,
          }
        : {
            en: `${path} is in fstab (${line}) and yet not mounted at ${entry?.point}; what fstab does not mount now it will not mount later`,
            ja: `${path} は fstab (${line}) にありますが、${entry?.point} にマウントされていません。今マウントできないものは暗号化後もマウントできません`,
          },
      {
        en: 'enter it in /etc/fstab, run `mount -a`, and look at its messages',
        ja: '/etc/fstab に記載して `mount -a` を実行し、メッセージを確認してください',
      },
    ),
  ];
}

/** A file system that takes no writes would have to be remounted by us; that is the owner's decision. */
export function checkWritable(_facts: GuestFacts, volume: Volume): Finding[] {
  const subject = nameOf(volume);
  if (volume.device.readOnly) {
    return [
      found(
        'refuse',
        'REQ-090',
        subject,
        {
          en: `the device ${volume.device.path} is read-only`,
          ja: `デバイス ${volume.device.path} は読み取り専用です`,
        },
        { en: 'attach the disk writable', ja: 'ディスクを書き込み可能で接続してください' },
      ),
    ];
  }
  if (volume.mount?.options.includes('ro') !== true) return [];
  return [
    found(
      'refuse',
      'REQ-044',
      subject,
      {
        en: `${subject} is mounted read-only (by its options, or by the kernel after an error)`,
        ja: `${subject} は読み取り専用でマウントされています (オプションの指定、またはエラー発生によるもの)`,
      },
      {
        en: 'look into the kernel log for errors, then `mount -o remount,rw` it and take `ro` out of /etc/fstab',
        ja: 'カーネル ログでエラーを確認し、`mount -o remount,rw` で再マウントして /etc/fstab から `ro` を外してください',
      },
    ),
  ];
}

/** A mount below the volume, or the volume below another data volume, keeps the unmount from working (REQ-092). */
export function checkNesting(facts: GuestFacts, volume: Volume): Finding[] {
  const { mount } = volume;
  if (mount === null) return [];
  const inner = facts.mounts
    .filter(({ point }) => point !== mount.point && isInside(point, mount.point))
    .map(({ point }) => point);
  const later = facts.fstab.flatMap(({ entry }) => (entry === null ? [] : [entry.realPoint]));
  const innerEntries = later.filter(
    (point) => point.startsWith('/') && point !== mount.point && isInside(point, mount.point),
  );
  const below = [...new Set([...inner, ...innerEntries])].map((point) =>
    found(
      'refuse',
      'REQ-092',
      mount.point,
      { en: `${point} is mounted below ${mount.point}`, ja: `${mount.point} の下に ${point} がマウントされます` },
      {
        en: 'mount it at a place that lies below no data volume, e.g. by a bind mount from there',
        ja: 'データ ボリュームの下ではない場所にマウントしてください',
      },
    ),
  );
  const outer = outerDataMount(facts, mount);
  if (outer === undefined) return below;
  return [
    ...below,
    found(
      'refuse',
      'REQ-092',
      mount.point,
      {
        en: `${mount.point} lies below ${outer.point}, which is a data volume too`,
        ja: `${mount.point} は別のデータ ボリューム ${outer.point} の下にあります`,
      },
      {
        en: 'mount it at a place that lies below no data volume',
        ja: 'データ ボリュームの下ではない場所にマウントしてください',
      },
    ),
  ];
}

function outerDataMount(facts: GuestFacts, mount: MountFact): MountFact | undefined {
  const parent = mountAt(facts.mounts, mount.point.slice(0, mount.point.lastIndexOf('/')) || '/');
  if (parent === undefined || parent.point === '/' || mount.point === '/') return undefined;
  const device = deviceOfMount(facts, parent);
  return device === undefined || isOnOsDisk(facts, device) || device.number === mount.number ? undefined : parent;
}

/** The same file system at several places, or something mounted over it: one unmount does not free the device (REQ-051). */
export function checkOtherMounts(facts: GuestFacts, volume: Volume): Finding[] {
  const { mount, device } = volume;
  if (mount === null) return [];
  const others = mountsOf(facts, device).filter((other) => other !== mount);
  const over = facts.mounts.filter(({ point, number }) => point === mount.point && number !== mount.number);
  return [
    ...others.map((other) => (isSubvolume(other) ? subvolumeAt : alsoAt)(mount.point, other.point)),
    ...over.map(({ fileSystem }) => stacked(mount.point, fileSystem)),
    ...(mount.root === '/' || isMountedAsSubvolume(volume, mount) ? [] : [isPart(mount.point, mount.root)]),
  ];
}

/** btrfs says of each of its mounts which subvolume it is. */
function isSubvolume({ fileSystem, options }: MountFact): boolean {
  return fileSystem === 'btrfs' && options.some((option) => option.startsWith('subvol='));
}

/** A subvolume that fstab names comes back with the same line; a bind mount does not. */
function isMountedAsSubvolume({ fstab }: Volume, mount: MountFact): boolean {
  if (!isSubvolume(mount)) return false;
  const named = fstab?.entry?.options.some((option) => /^subvol(?:id)?=./.test(option)) === true;
  return named && mount.options.includes(`subvol=${mount.root}`);
}

function subvolumeAt(subject: string, point: string): Finding {
  return found(
    'refuse',
    'REQ-051',
    subject,
    {
      en: `another subvolume, or the same one, of this btrfs is mounted at ${point}; only one mount of a file system can be moved onto its mapping in one step`,
      ja: `この btrfs のサブボリュームが ${point} にもマウントされています。1 回の処理でマッピングに移せるマウントは 1 つだけです`,
    },
    {
      en: `leave one line for it in /etc/fstab, e.g. of the whole file system, with bind mounts or symbolic links at the other places, and unmount ${point}`,
      ja: `ファイル システム全体など 1 行だけを /etc/fstab に残し、他の場所はバインド マウントやシンボリック リンクにして、${point} をアンマウントしてください`,
    },
  );
}

function alsoAt(subject: string, point: string): Finding {
  return found(
    'refuse',
    'REQ-051',
    subject,
    {
      en: `the same file system is mounted at ${point} too (bind mount)`,
      ja: `同じファイル システムが ${point} にもマウントされています (バインド マウント)`,
    },
    { en: `unmount ${point} for the time being`, ja: `一時的に ${point} をアンマウントしてください` },
  );
}

function isPart(subject: string, root: string): Finding {
  return found(
    'refuse',
    'REQ-051',
    subject,
    {
      en: `only the folder ${root} of the file system is mounted here (bind mount or subvolume)`,
      ja: `ここにはファイル システムのフォルダー ${root} だけがマウントされています (バインド マウントまたはサブボリューム)`,
    },
    {
      en: 'mount the whole file system, and name that mount point',
      ja: 'ファイル システム全体をマウントし、そのマウント ポイントを指定してください',
    },
  );
}

function stacked(subject: string, fileSystem: string): Finding {
  return found(
    'refuse',
    'REQ-051',
    subject,
    {
      en: `another mount (${fileSystem}) is at the same place`,
      ja: `同じ場所に別のマウント (${fileSystem}) があります`,
    },
    {
      en: 'unmount it; an automount unit has to be stopped and x-systemd.automount taken out of /etc/fstab',
      ja: 'アンマウントしてください。自動マウントの場合はユニットを停止し、/etc/fstab から x-systemd.automount を外してください',
    },
  );
}

/** Folders that belong to the OS with all that is in them. */
const osTrees = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/usr',
];
/** Folders that belong to the OS, while applications have folders of their own in them. */
const osFolders = new Set([
  '/',
  '/home',
  '/opt',
  '/tmp',
  '/var',
  '/var/cache',
  '/var/lib',
  '/var/lib/dpkg',
  '/var/lib/kannuki',
  '/var/lib/rpm',
  '/var/lib/systemd',
  '/var/log',
  '/var/log/audit',
  '/var/spool',
  '/var/tmp',
]);

/** Below /usr and yet of applications and administrators: Filesystem Hierarchy Standard 4.9, and where SAP installs. */
const applicationTrees = /^\/usr\/(?:sap|local\/.)/;

export function isOsFolder(point: string): boolean {
  if (applicationTrees.test(point)) return false;
  return osFolders.has(point) || osTrees.some((tree) => isInside(point, tree));
}

/** A data volume mounted over a folder of the OS (REQ-093). */
export function checkOverOsFolder(_facts: GuestFacts, volume: Volume): Finding[] {
  const point = volume.mount?.point ?? volume.fstab?.entry?.realPoint;
  if (point === undefined || !isOsFolder(point)) return [];
  return [
    found(
      'refuse',
      'REQ-093',
      point,
      {
        en: `${point} is a folder of the OS: the boot needs it before volumes are unlocked`,
        ja: `${point} は OS のフォルダーです。ボリュームのロック解除より前に起動処理で必要になります`,
      },
      {
        en: 'mount the volume at a folder of its own, e.g. /data0',
        ja: '/data0 など専用のフォルダーにマウントしてください',
      },
    ),
  ];
}

/** Hardening that has moved folders of the OS to data disks: one finding for each (REQ-040). */
export function checkHardening(facts: GuestFacts): Finding[] {
  const disks = osDisks(facts);
  if (disks.size === 0) return [];
  const points = new Map<string, string>();
  for (const mount of facts.mounts) {
    const device = isOsFolder(mount.point) ? deviceOfMount(facts, mount) : undefined;
    // Images that are mounted from files (snaps) are no disks.
    if (device === undefined || device.type === 'loop' || device.type === 'rom' || isOnOsDisk(facts, device)) continue;
    if (!mount.point.startsWith('/run/')) points.set(mount.point, device.path);
  }
  return [...points].map(([point, path]) =>
    found(
      'refuse',
      'REQ-040',
      point,
      {
        en: `the OS folder ${point} lies on the data disk ${path}; hardening that does so does not go with disk encryption`,
        ja: `OS のフォルダー ${point} がデータ ディスク ${path} 上にあります。このようなセキュリティ強化の構成はディスク暗号化と両立しません`,
      },
      { en: `move ${point} back to the OS disk`, ja: `${point} を OS ディスクに戻してください` },
    ),
  );
}
