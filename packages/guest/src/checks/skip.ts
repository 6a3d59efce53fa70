import type { Finding, Severity, Text } from '@kannuki/core';
import type { BlockDevice, GuestFacts, Volume } from '../facts/model.ts';
import { deviceByName, isKeyVolume, isOnOsDisk, isResourceDisk, mountsOf, withParents } from '../targets/devices.ts';
import { isPhysicalVolume } from '../targets/volume-groups.ts';
import { found, mebibytes, nameOf } from './finding.ts';
import { smallestVolumeBytes } from './limits.ts';

/** Swap space and the temporary disk have a way of their own; nothing on them is kept. */
function randomKeyInstead(path: string): Text {
  return {
    en: `\`kannuki disk encrypt ${path}\`, with neither --used-space-only nor --format, gives it a new random key at each boot`,
    ja: `\`kannuki disk encrypt ${path}\` (--used-space-only と --format なし) を実行すると、起動のたびに新しいランダムな鍵が使われます`,
  };
}

interface Reason {
  readonly rule: 'REQ-090' | 'REQ-091';
  readonly message: Text;
  readonly remedy: Text;
}

const otherTarget: Text = { en: 'name another volume', ja: '別のボリュームを指定してください' };

/**
 * Why a device cannot be encrypted in place by what it is and what is on it; empty when it can (REQ-090, REQ-091).
 * @param severity refuse for a volume that was named, else how a skipped one is told
 */
export function checkKind(facts: GuestFacts, volume: Volume, severity: Severity): Finding[] {
  return reasonsToSkip(facts, volume.device).map(({ rule, message, remedy }) =>
    found(severity, rule, nameOf(volume), message, remedy),
  );
}

function reasonsToSkip(facts: GuestFacts, device: BlockDevice): readonly Reason[] {
  const encrypted = alreadyEncrypted(facts, device);
  // What lies inside a volume that is encrypted says nothing about whether it can be.
  if (encrypted !== undefined) return [encrypted];
  // What speaks for or against a group of LVM is checked with the group.
  if (isPhysicalVolume(device)) {
    return [place(facts, device), wrongType(device), tooSmall(device)].filter((reason) => reason !== undefined);
  }
  const member = memberOf(facts, device);
  const kind = [place(facts, device), member, wrongType(device)];
  const content = member === undefined ? [...fileSystemReasons(device), tooSmall(device)] : [];
  return [...kind, ...content].filter((reason) => reason !== undefined);
}

/** Why a device that holds nothing cannot be formatted, by what it is and where it lies; empty when it can. */
export function checkPlaceOf(facts: GuestFacts, device: BlockDevice): Finding[] {
  const reasons = [
    alreadyEncrypted(facts, device),
    place(facts, device),
    memberOf(facts, device),
    wrongType(device),
    tooSmall(device),
  ];
  return reasons
    .filter((one) => one !== undefined)
    .map(({ rule, message, remedy }) => found('refuse', rule, device.path, message, remedy));
}

/** Whether a device is encrypted, or a part of something that is, by whomever. */
export function isEncrypted(facts: GuestFacts, device: BlockDevice): boolean {
  return alreadyEncrypted(facts, device) !== undefined;
}

function alreadyEncrypted(facts: GuestFacts, device: BlockDevice): Reason | undefined {
  const children = device.children.map((name) => deviceByName(facts, name)?.type);
  const signature = device.signature?.usage === 'crypto';
  const inCrypttab = facts.crypttab.find((line) => line.device === device.path || device.links.includes(line.device));
  const isCrypt =
    withParents(facts, device).some(({ type }) => type === 'crypt') || children.includes('crypt') || signature;
  if (!isCrypt && inCrypttab === undefined) return undefined;
  const where = isCrypt ? '' : ` (/etc/crypttab:${inCrypttab?.lineNumber})`;
  return {
    rule: 'REQ-090',
    message: {
      en: `${device.path} is encrypted already${where}`,
      ja: `${device.path} はすでに暗号化されています${where}`,
    },
    remedy: { en: '`kannuki disk list` shows its state', ja: '`kannuki disk list` で状態を確認してください' },
  };
}

function place(facts: GuestFacts, device: BlockDevice): Reason | undefined {
  if (mountsOf(facts, device).some(({ point }) => point === '/')) {
    return reason(
      `${device.path} is the OS volume; this version encrypts data volumes in place`,
      `${device.path} は OS ボリュームです。この版がそのまま暗号化できるのはデータ ボリュームです`,
      otherTarget,
    );
  }
  if (isOnOsDisk(facts, device)) {
    return reason(
      `${device.path} lies on the OS disk and is no data volume`,
      `${device.path} は OS ディスク上にあり、データ ボリュームではありません`,
      otherTarget,
    );
  }
  if (isResourceDisk(facts, device)) {
    return reason(
      `${device.path} is the resource disk, whose content is lost by nature`,
      `${device.path} は内容が保持されない一時ディスク (リソース ディスク) です`,
      randomKeyInstead(device.path),
    );
  }
  if (isKeyVolume(device)) {
    return reason(`${device.path} is the key volume`, `${device.path} はキー ボリュームです`, otherTarget);
  }
  return undefined;
}

/** What a device is a part of, or what lies on it: encrypting below that would break it. */
function memberOf(facts: GuestFacts, device: BlockDevice): Reason | undefined {
  const { path, signature } = device;
  const children = device.children.flatMap((name) => deviceByName(facts, name) ?? []);
  const childNames = children.map((child) => child.path).join(', ');
  if (signature?.type === 'swap' || facts.swaps.some((swap) => swap.path === path)) {
    return reason(`${path} is swap space`, `${path} はスワップ領域です`, randomKeyInstead(path));
  }
  if (signature?.type.endsWith('_raid_member') === true || children.some(({ type }) => type.startsWith('raid'))) {
    return reason(
      `${path} is a member of a RAID array${childNames === '' ? '' : ` below ${childNames}`}`,
      `${path} は RAID アレイのメンバーです${childNames === '' ? '' : ` (上位: ${childNames})`}`,
      { en: 'name the array that is mounted', ja: 'マウントされている RAID アレイを指定してください' },
    );
  }
  if (children.length === 0) return undefined;
  return reason(
    `${path} has other devices on it: ${childNames}`,
    `${path} の上に別のデバイスがあります: ${childNames}`,
    {
      en: 'name the device on top, e.g. the partition that is mounted',
      ja: 'マウントされているパーティションなど、上位のデバイスを指定してください',
    },
  );
}

const encryptableTypes = new Set(['disk', 'part', 'lvm', 'raid0', 'raid1', 'raid4', 'raid5', 'raid6', 'raid10']);

function wrongType({ path, type }: BlockDevice): Reason | undefined {
  if (encryptableTypes.has(type)) return undefined;
  return reason(
    `${path} is of type ${type}; only ${[...encryptableTypes].join(', ')} can be encrypted in place`,
    `${path} の種類は ${type} です。そのまま暗号化できるのは ${[...encryptableTypes].join('、')} です`,
    otherTarget,
  );
}

const encryptableFileSystems = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']);

function fileSystemReasons(device: BlockDevice): readonly (Reason | undefined)[] {
  const { path, signature, fileSystem } = device;
  if (signature === null) {
    return [
      reason(`${path} has no file system`, `${path} にファイル システムがありません`, {
        en: 'make a file system and mount it by a line in /etc/fstab, if it is to hold data',
        ja: 'データを置くのであれば、ファイル システムを作成し、/etc/fstab に記載してマウントしてください',
      }),
    ];
  }
  if (signature.usage === 'ambiguous') {
    return [
      reason(
        `${path} shows signatures of several file systems or containers at once`,
        `${path} から複数のファイル システムまたはコンテナーの識別情報が検出されました`,
        {
          en: 'look with `wipefs --no-act` which one is left over, and erase that one',
          ja: '`wipefs --no-act` で不要なものを確認し、消去してください',
        },
      ),
    ];
  }
  const unsupported = !encryptableFileSystems.has(signature.type) || fileSystem === null;
  return [
    unsupported ? wrongFileSystem(path, signature.type) : undefined,
    fileSystem?.hasOtherDevices === true ? otherDevices(path, signature.type) : undefined,
    signature.uuid === null
      ? reason(`the file system on ${path} has no UUID`, `${path} のファイル システムに UUID がありません`, {
          en: 'give it one (`tune2fs -U random`, `xfs_admin -U generate`) and name it in /etc/fstab',
          ja: 'UUID を付け (`tune2fs -U random`、`xfs_admin -U generate`)、/etc/fstab に記載してください',
        })
      : undefined,
  ];
}

/** ADE shrinks the file system for the header, so XFS is beyond it; with the header apart from the disk nothing shrinks. */
function wrongFileSystem(path: string, type: string): Reason {
  return {
    rule: 'REQ-091',
    message: {
      en: `${path} holds ${type}; this version encrypts ext2, ext3, ext4, XFS and btrfs in place, and has not been proved with others`,
      ja: `${path} のファイル システムは ${type} です。この版がそのまま暗号化できるのは ext2、ext3、ext4、XFS、btrfs で、他の種類は検証されていません`,
    },
    remedy: {
      en: 'copy the data to an encrypted volume with one of these file systems',
      ja: 'これらのファイル システムを持つ暗号化ボリュームにデータをコピーしてください',
    },
  };
}

function otherDevices(path: string, type: string): Reason {
  return type === 'btrfs' ? spreadBtrfs(path) : spread(path, type);
}

/**
 * The kernel finds the members of a btrfs by what is written on them. As long as not every member is encrypted it may take the
 * raw disk of one that is being converted in the place of its mapping, and no order of the boot prevents that for sure.
 */
function spreadBtrfs(path: string): Reason {
  return {
    rule: 'REQ-091',
    message: {
      en: `${path} is one of several devices of a btrfs, whose members the kernel finds by itself: it could take up the raw disk of a member in place of its encrypted mapping`,
      ja: `${path} は複数デバイスの btrfs の一部です。カーネルがメンバーを自動検出するため、暗号化マッピングではなく元のディスクが使われるおそれがあります`,
    },
    remedy: {
      en: 'encrypt an empty disk of the same size for each member, and move the members over while the file system is in use: `btrfs replace start DEVICE /dev/mapper/kn_… MOUNTPOINT`; or take it down to one device: `btrfs device remove`',
      ja: 'メンバーごとに同じサイズの空のディスクを暗号化し、使用中のまま `btrfs replace start デバイス /dev/mapper/kn_… マウントポイント` で移すか、`btrfs device remove` で 1 台に減らしてください',
    },
  };
}

function spread(path: string, type: string): Reason {
  return {
    rule: 'REQ-091',
    message: {
      en: `the ${type} file system on ${path} keeps its journal, log or real-time data on another device, which would stay readable`,
      ja: `${path} の ${type} は、ジャーナル、ログ、またはリアルタイム データを別のデバイスに保存しており、そちらは平文のまま残ります`,
    },
    remedy: {
      en: 'move the journal to the volume itself (`tune2fs -O ^has_journal`, then `tune2fs -j`), or copy the data to a plain volume',
      ja: 'ジャーナルをボリューム自体に移す (`tune2fs -O ^has_journal` の後 `tune2fs -j`) か、データを通常のボリュームにコピーしてください',
    },
  };
}

function tooSmall({ path, sizeBytes }: BlockDevice): Reason | undefined {
  if (sizeBytes >= smallestVolumeBytes) return undefined;
  return reason(
    `${path} has ${mebibytes(sizeBytes)}; volumes under ${mebibytes(smallestVolumeBytes)} are not encrypted`,
    `${path} の容量は ${mebibytes(sizeBytes)} です。${mebibytes(smallestVolumeBytes)} 未満のボリュームは暗号化しません`,
    { en: 'enlarge the volume', ja: 'ボリュームを拡張してください' },
  );
}

function reason(en: string, ja: string, remedy: Text): Reason {
  return { rule: 'REQ-090', message: { en, ja }, remedy };
}
