import { closeSync, fsyncSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { run } from '@kannuki/core';
import { bootState, leaveState } from '../power-cut/small-vm.ts';

/** Ways in which the disk with the headers, the journals, fstab and crypttab ("state" of the lab machine) stops taking writes. */
export type OsDiskFault = 'full' | 'read-only';

const filler = '/run/state/filler';

/** At once, so that an event of the engine can do it before the next step begins. */
export function breakOsDisk(fault: OsDiskFault): void {
  if (fault === 'full') fill();
  else makeKernelRemount('/dev/mapper/vm-state', '/run/state');
}

/** Makes room, or reboots the part of the machine that is on this disk. */
export async function mendOsDisk(fault: OsDiskFault): Promise<void> {
  if (fault === 'full') {
    rmSync(filler, { force: true });
    await run('sync', []);
    return;
  }
  // Once the kernel has given a file system up it takes it writable only after a new mount; e2fsck is what a boot does.
  await leaveState();
  await run('e2fsck', ['-p', '/dev/mapper/vm-state'], { accept: [0, 1] });
  await bootState();
  await mountAsDistributionsDo();
}

/** The root file system of a distribution becomes read-only when the kernel meets an error in it. */
export async function mountAsDistributionsDo(): Promise<void> {
  await run('mount', ['-o', 'remount,errors=remount-ro', '/run/state']);
}

/** Until not one more byte is taken: blocks of files that were removed come back only with the journal's next commit. */
function fill(): void {
  const file = openSync(filler, 'a');
  try {
    do fsyncSync(file);
    while (
      writeUntilFull(file, Buffer.alloc(4 * 1024 * 1024, 'x')) + writeUntilFull(file, Buffer.alloc(4096, 'x')) >
      0
    );
  } finally {
    closeSync(file);
  }
}

/** @returns bytes written */
function writeUntilFull(file: number, piece: Uint8Array): number {
  let written = 0;
  try {
    for (;;) written += writeSync(file, piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return written;
  }
}

/** What ext4 does by itself when it meets an error and was mounted with errors=remount-ro: its own way to try that. */
export function makeKernelRemount(device: string, mountPoint: string): void {
  // Linux: the low byte of the device number is the N of dm-N, as far as a lab machine counts.
  writeFileSync(`/sys/fs/ext4/dm-${statSync(device).rdev & 0xff}/trigger_fs_error`, '1');
  // Newer kernels, and their stable series, refuse writes without calling the mount read-only.
  const probe = `${mountPoint}/.probe`;
  try {
    writeFileSync(probe, '');
  } catch (error) {
    if (['EROFS', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    throw error;
  }
  throw new Error(`${device} still takes writes`);
}
