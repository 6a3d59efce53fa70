import type { Run } from '@kannuki/core';
import { readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { readHeaderFile } from './header-file.ts';
import { assertSameDevice } from './identity.ts';
import type { Journal } from './journal.ts';
import { makeMapperNodes } from './mounting.ts';

/** As the kernel counts the length of a table. */
const sectorBytes = 512;

/** Whether a header says that its device is plain from the first byte to the last, and that nothing is left to do. */
export async function isPlainHeader(header: string, deviceSizeBytes: number): Promise<boolean> {
  const { metadata } = readLuks2Header(await readHeaderFile(header)).newest;
  const { pending, bytesEncrypted, bytesTotal } = reencryptionProgress(metadata, deviceSizeBytes);
  return !pending && bytesEncrypted === 0 && bytesTotal === deviceSizeBytes;
}

/**
 * Stands in for `cryptsetup open` behind the last block of a decryption: the header has no key slot any more, so cryptsetup
 * can do nothing with it ("No usable keyslot is available"), while crypttab and mounts still name the mapping. What it is given is
 * what cryptsetup itself leaves of a live mapping: a linear one, the name and the prefix of the uuid included. Call it
 * behind the finishing check. Changes nothing on the disk.
 * @returns whether the volume is plain and mapped now; else cryptsetup has to open it
 */
export async function mapIfPlain(journal: Journal, header: string, run: Run): Promise<boolean> {
  const { name, device, operation } = journal;
  if (operation !== 'decrypt' || !(await isPlainHeader(header, device.sizeBytes))) return false;
  await assertSameDevice(journal, run);
  const table = `0 ${device.sizeBytes / sectorBytes} linear ${device.path} 0`;
  await run('dmsetup', ['create', name, '--uuid', `CRYPT-KANNUKI-${name}`, '--table', table]);
  await makeMapperNodes(run);
  return true;
}

/** Takes a plain mapping away that nothing uses. cryptsetup's own goes by itself with its last user. */
export async function unmapPlain(name: string, run: Run): Promise<void> {
  await run('dmsetup', ['remove', '--retry', name], { timeoutSeconds: 120 });
}
