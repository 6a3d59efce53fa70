import { KannukiError, type Run } from '@kannuki/core';
import { readExtGeometry } from './ext-geometry.ts';

/**
 * The calls of e2fsprogs that shrink and grow an ext file system. None of them asks for anything: they run with no one at the
 * keyboard. e2fsck(8): 0 clean, 1 errors corrected, 2 the same and reboot (for a root file system); 4 and above: not well.
 */
const corrected = [0, 1, 2];
const maximumSeconds = 24 * 3600;

/**
 * The least size that a shrink can reach, as resize2fs(8) estimates it; may be asked while it is mounted. It has no form for
 * programs: `Estimated minimum size of the filesystem: N`, N in blocks of the file system.
 */
export async function minimumBytes(run: Run, device: string, blockBytes: number): Promise<number> {
  const { stdout } = await run('resize2fs', ['-P', device], { timeoutSeconds: 600 });
  const blocks = Number(/: (\d+)\s*$/.exec(stdout)?.[1]);
  if (!Number.isSafeInteger(blocks) || blocks <= 0) throw notUnderstood(stdout);
  return blocks * blockBytes;
}

/** As the boot does it: repairs what is harmless, and refuses what a person should look at. */
export async function checkUnmounted(run: Run, device: string): Promise<void> {
  await run('e2fsck', ['-f', '-p', device], { accept: corrected, timeoutSeconds: maximumSeconds });
}

/** After a shrink of ours that was cut: half of such states need an answer that only `-y` gives (docs/volumes.md). */
export async function repairUnmounted(run: Run, device: string): Promise<void> {
  await run('e2fsck', ['-f', '-y', device], { accept: corrected, timeoutSeconds: maximumSeconds });
}

/**
 * Makes a checked file system small. With `-f`, because without it resize2fs(8) goes no lower than its own estimate, which may be
 * twice of what is needed (least-size.ts); the other thing that `-f` leaves out is to ask for the check that has just been made.
 * @param lock descriptor that the program inherits, see StepContext.lock
 */
export async function shrinkTo(run: Run, device: string, bytes: number, lock: number | null): Promise<void> {
  if (bytes % 1024 !== 0) throw new Error(`${bytes} bytes are no whole KiB`);
  await run('resize2fs', ['-f', device, `${bytes / 1024}K`], withLock(lock));
}

/** To the size of the device; mounted or not. */
export async function growToDevice(run: Run, device: string, lock: number | null): Promise<void> {
  await run('resize2fs', [device], withLock(lock));
}

function withLock(lock: number | null): { timeoutSeconds: number; descriptors?: readonly number[] } {
  return { timeoutSeconds: maximumSeconds, ...(lock === null ? {} : { descriptors: [lock] }) };
}

/** Size that the file system says it has, from its super block. */
export async function fileSystemBytes(device: string): Promise<number> {
  const geometry = await readExtGeometry(device);
  if (geometry === null) throw notUnderstood(`no ext file system on ${device}`);
  return geometry.sizeBytes;
}

function notUnderstood(seen: string): KannukiError {
  return new KannukiError('KNK-VOL-0060', { details: { seen: seen.slice(0, 200) } });
}
