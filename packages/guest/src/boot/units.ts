import { unitName } from './unit-name.ts';

/** A file below the folder of systemd units; `target` instead of `content` makes it a symbolic link. */
export type UnitFile =
  | { readonly path: string; readonly content: string }
  | { readonly path: string; readonly target: string };

export interface MountUnitOptions {
  readonly mapper: string;
  readonly point: string;
  readonly fileSystem: string;
  readonly options: string;
  /** fs_passno of fstab(5); above 0 the file system is checked before it is mounted. */
  readonly pass: number;
}

/**
 * How long the boot waits for a disk before it calls the volume failed: the boot itself goes on meanwhile, and an
 * encrypted disk may well need more than a minute (REQ-054).
 */
export const deviceTimeoutSeconds = 300;

/** Where the key volume is mounted while the boot needs it. */
export const keyVolumeMountPoint = '/run/kannuki/key';

const madeBy = '# Made by Kannuki; changes are lost. See /etc/kannuki/mounts.\n';

/**
 * The native mount unit of an encrypted volume and what hangs on it. The unlock is wanted and not required: when an
 * administrator mounts the volume again in the same boot the mapping is there and the key volume is not.
 * BindsTo= must not be used: it would unmount the live volume at the next daemon-reload.
 */
export function mountUnitFiles(mount: MountUnitOptions): readonly UnitFile[] {
  const device = `/dev/mapper/${mount.mapper}`;
  const unit = unitName(mount.point, 'mount');
  const unlock = unlockUnit(mount.mapper);
  const check =
    mount.pass > 0 ? `systemd-fsck@${unitName(device, 'device').replace(/\.device$/, '')}.service` : undefined;
  const lines = [
    '[Unit]',
    `Description=Encrypted volume ${mount.mapper}`,
    'SourcePath=/etc/kannuki/mounts',
    `Wants=${unlock}`,
    `After=${unlock}`,
    ...(check === undefined ? [] : [`Requires=${check}`, `After=${check}`]),
    '',
    '[Mount]',
    `What=${device}`,
    `Where=${mount.point}`,
    `Type=${mount.fileSystem}`,
    `Options=${mount.options.replaceAll('%', '%%')}`,
    '',
  ];
  return [
    { path: unit, content: madeBy + lines.join('\n') },
    { path: `local-fs.target.wants/${unit}`, target: `../${unit}` },
    deviceTimeoutFile(device),
  ];
}

/**
 * Drop-in for the time of a conversion only: around the unlock runs what makes cryptsetup's recovery safe against a second
 * power cut (recovery-guard.ts). Without the program the unlock goes on as before.
 */
export function unlockConversionUnitFile(mapper: string): UnitFile {
  const call = (verb: string): string =>
    `/bin/sh -c '[ ! -x /usr/bin/kannuki ] || exec /usr/bin/kannuki agent ${verb} ${mapper}'`;
  const lines = ['[Service]', `ExecStartPre=${call('prepare-unlock')}`, `ExecStartPost=${call('settle-unlock')}`, ''];
  return { path: `${unlockUnit(mapper)}.d/50-kannuki.conf`, content: madeBy + lines.join('\n') };
}

/** Likewise: without the unlock nothing is mounted. */
export function mountConversionUnitFile(mapper: string, point: string): UnitFile {
  return {
    path: `${unitName(point, 'mount')}.d/50-kannuki.conf`,
    content: `${madeBy}[Unit]\nRequires=${unlockUnit(mapper)}\n`,
  };
}

function unlockUnit(mapper: string): string {
  return `systemd-cryptsetup@${mapper}.service`;
}

/**
 * The mount unit of the key volume. Only root can read the key for the second that it is there; the generated
 * unlock service pulls it in because the key file lies below its mount point.
 */
export function keyVolumeUnitFiles(fileSystemUuid: string): readonly UnitFile[] {
  const device = `/dev/disk/by-uuid/${fileSystemUuid}`;
  const lines = [
    '[Unit]',
    'Description=Key volume of Kannuki',
    'DefaultDependencies=no',
    'Conflicts=umount.target',
    'Before=umount.target',
    '',
    '[Mount]',
    `What=${device}`,
    `Where=${keyVolumeMountPoint}`,
    'Type=vfat',
    'Options=ro,nosuid,nodev,noexec,uid=0,gid=0,fmask=0377,dmask=0377',
    'DirectoryMode=0700',
    '',
  ];
  return [
    { path: unitName(keyVolumeMountPoint, 'mount'), content: madeBy + lines.join('\n') },
    deviceTimeoutFile(device),
  ];
}

/** The boot waits for a device as long as for a locked disk below it. */
export function waitForDeviceFile(device: string): UnitFile {
  return deviceTimeoutFile(device);
}

function deviceTimeoutFile(device: string): UnitFile {
  return {
    path: `${unitName(device, 'device')}.d/50-kannuki.conf`,
    content: `${madeBy}[Unit]\nJobTimeoutSec=${deviceTimeoutSeconds}\nJobRunningTimeoutSec=${deviceTimeoutSeconds}\n`,
  };
}

export interface CrypttabLineOptions {
  readonly mapper: string;
  readonly device: string;
  /** Detached header; null for one on the device itself. */
  readonly header: string | null;
  /** null when the agent opens the volume with a passphrase from the vault: then the line only documents it. */
  readonly keyFile: string | null;
}

/**
 * Fields of the volume's line in crypttab(5). `headless`: without it a missing key ends in a prompt on the console that
 * no one answers. `noauto` where the agent unlocks.
 */
export function crypttabFields(line: CrypttabLineOptions): readonly [string, string, string, string] {
  const options = [
    'luks',
    'nofail',
    ...(line.header === null ? [] : [`header=${line.header}`]),
    'headless=true',
    `x-systemd.device-timeout=${deviceTimeoutSeconds}s`,
  ];
  if (line.keyFile === null) options.splice(1, 0, 'noauto');
  return [line.mapper, line.device, line.keyFile ?? 'none', options.join(',')];
}

export interface RandomKeyLineOptions {
  readonly mapper: string;
  readonly device: string;
  /** What systemd makes on the mapping at each boot: `swap`, or `tmp=` with a file system. */
  readonly content: string;
  readonly offsetBytes: number;
  readonly sectorSize: 512 | 4096;
}

/**
 * Fields of crypttab(5) for a volume with a new key at each boot. `plain`: there is no header. Whatever device this line finds loses what is on
 * it: name it by what only it can have.
 */
export function randomKeyFields(line: RandomKeyLineOptions): readonly [string, string, string, string] {
  const options = [
    'plain',
    line.content,
    'cipher=aes-xts-plain64',
    'size=512',
    // In sectors of 512 bytes, whatever the sector size of the mapping.
    ...(line.offsetBytes === 0 ? [] : [`offset=${line.offsetBytes / 512}`]),
    ...(line.sectorSize === 512 ? [] : [`sector-size=${line.sectorSize}`]),
    'nofail',
    `x-systemd.device-timeout=${deviceTimeoutSeconds}s`,
  ];
  return [line.mapper, line.device, '/dev/urandom', options.join(',')];
}

/** The native swap unit over a mapping; systemd.swap(5) has priority and options as fields of its own. */
export function swapUnitFiles(mapper: string, options: string): readonly UnitFile[] {
  const device = `/dev/mapper/${mapper}`;
  const unit = unitName(device, 'swap');
  const unlock = unlockUnit(mapper);
  const kept = options.split(',').filter((option) => /^(?:discard(?:=.*)?|pri=-?\d+)$/.test(option));
  const lines = [
    '[Unit]',
    `Description=Encrypted swap space ${mapper}`,
    'SourcePath=/etc/kannuki/mounts',
    `Requires=${unlock}`,
    `After=${unlock}`,
    '',
    '[Swap]',
    `What=${device}`,
    ...(kept.length === 0 ? [] : [`Options=${kept.join(',')}`]),
    '',
  ];
  return [
    { path: unit, content: madeBy + lines.join('\n') },
    { path: `swap.target.wants/${unit}`, target: `../${unit}` },
    deviceTimeoutFile(device),
  ];
}
