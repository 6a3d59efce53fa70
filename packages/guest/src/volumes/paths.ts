import { join } from 'node:path';

/** Where the volume engine keeps its things. Tests and the lab put other folders in place of the machine's own. */
export interface EnginePaths {
  /** Journals and headers; must outlive a reboot. */
  readonly state: string;
  /** Locks and the progress of a running conversion; gone after a reboot. */
  readonly runtime: string;
  /** Our own mount entries, in the format of fstab(5). */
  readonly mounts: string;
  readonly fstab: string;
  /** The fstab as it was before Kannuki changed it for the first time (REQ-094). */
  readonly fstabBackup: string;
  readonly crypttab: string;
  /** Folder of the administrator's systemd units. */
  readonly units: string;
  /** The second place of headers while they change, of use where it is another device than `state` (recovery/header-mirror.ts). */
  readonly mirrors: string;
  /** LVM's settings of this machine, lvm.conf(5). */
  readonly lvmLocal: string;
  readonly udevRules: string;
  readonly initramfsHooks: string;
}

export const defaultPaths: EnginePaths = {
  state: '/var/lib/kannuki',
  runtime: '/run/kannuki',
  mounts: '/etc/kannuki/mounts',
  fstab: '/etc/fstab',
  fstabBackup: '/etc/fstab.azure.backup',
  crypttab: '/etc/crypttab',
  units: '/etc/systemd/system',
  mirrors: '/boot/kannuki',
  lvmLocal: '/etc/lvm/lvmlocal.conf',
  udevRules: '/etc/udev/rules.d',
  initramfsHooks: '/etc/initramfs-tools/hooks',
};

export function journalFolder(paths: EnginePaths): string {
  return join(paths.state, 'volumes');
}

export function headerFolder(paths: EnginePaths): string {
  return join(paths.state, 'headers');
}

/** The detached LUKS2 header of a volume (in-place volumes have data offset 0, so the disk itself holds no header). */
export function headerPath(paths: EnginePaths, volume: string): string {
  return join(headerFolder(paths), `${volume}.luks`);
}

/** The mirror of a header that is under a conversion. */
export function mirrorPath(paths: EnginePaths, volume: string): string {
  return join(paths.mirrors, `${volume}.luks.mirror`);
}
