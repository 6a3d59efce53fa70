import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, makeDirectoryDurably, type Run, removeDurably, writeFileDurably } from '@kannuki/core';
import type { EnginePaths } from '../volumes/paths.ts';
import { readGlobalFilter, withHidden, withoutHidden } from './lvm-filter.ts';

/** The raw disk of an encrypted physical volume, by a name that lasts. */
export interface HiddenDisk {
  readonly volume: string;
  readonly device: string;
}

/**
 * Hides a raw disk from LVM for good, before anything is mapped over it. Two places: LVM's own filter, for every command; and a
 * rule of udev, because LVM's activation by events runs while udev has not yet made the links that the filter names. Both have to be in the initramfs
 * too, where Debian activates every group that it sees.
 */
export async function hideFromLvm(disk: HiddenDisk, paths: EnginePaths, run: Run): Promise<void> {
  const { text, isThere } = await read(paths.lvmLocal);
  const changed = withHidden(text, disk.volume, disk.device, await readGlobalFilter(run));
  if (changed !== text || !isThere) {
    await makeDirectoryDurably(dirname(paths.lvmLocal));
    await writeFileDurably(paths.lvmLocal, Buffer.from(changed, 'latin1'), 0o644);
  }
  await makeDirectoryDurably(paths.udevRules);
  await writeFileDurably(ruleFile(disk, paths), udevRule(disk));
  await refreshInitramfs(paths, run);
}

/** The opposite; the files are as they were. */
export async function showToLvm(disk: HiddenDisk, paths: EnginePaths, run: Run): Promise<void> {
  const { text } = await read(paths.lvmLocal);
  const changed = withoutHidden(text, disk.volume);
  if (changed !== text) await writeFileDurably(paths.lvmLocal, Buffer.from(changed, 'latin1'), 0o644);
  await removeDurably(ruleFile(disk, paths));
  await refreshInitramfs(paths, run);
}

/** Before 64-btrfs, 64-md-raid-assembly and 69-lvm look at the type, and behind 60-persistent-storage, which finds it. */
function ruleFile({ volume }: HiddenDisk, paths: EnginePaths): string {
  return join(paths.udevRules, `61-kannuki-${volume}.rules`);
}

export function udevRule({ volume, device }: HiddenDisk): string {
  const link = device.replace(/^\/dev\//, '');
  return [
    `# Made by Kannuki: the disk below the encrypted volume ${volume} is of no use by itself, whatever it seems to hold.`,
    `SUBSYSTEM=="block", SYMLINK=="${link}", ENV{ID_FS_TYPE}="", ENV{ID_FS_USAGE}=""`,
    '',
  ].join('\n');
}

/** initramfs-tools(7): hooks copy what no package of the distribution brings along. */
const hook = `#!/bin/sh
# Made by Kannuki: hides the disks below encrypted physical volumes from LVM in the initramfs.
case $1 in prereqs) exit 0 ;; esac
mkdir -p "$DESTDIR/usr/lib/udev/rules.d"
for rule in /etc/udev/rules.d/61-kannuki-*.rules; do
  [ ! -e "$rule" ] || cp -p "$rule" "$DESTDIR/usr/lib/udev/rules.d/"
done
`;
const initramfsSeconds = 900;

/** Nothing to do where there is no initramfs-tools: dracut(8) activates only the groups that the kernel's command line names. */
async function refreshInitramfs(paths: EnginePaths, run: Run): Promise<void> {
  try {
    await run('update-initramfs', ['--help'], { accept: [0, 1] });
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return;
    throw error;
  }
  await makeDirectoryDurably(paths.initramfsHooks);
  await writeFileDurably(join(paths.initramfsHooks, 'kannuki'), hook, 0o755);
  await run('update-initramfs', ['-u', '-k', 'all'], { timeoutSeconds: initramfsSeconds });
}

async function read(path: string): Promise<{ readonly text: string; readonly isThere: boolean }> {
  try {
    return { text: await readFile(path, 'latin1'), isThere: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', isThere: false };
    throw error;
  }
}
