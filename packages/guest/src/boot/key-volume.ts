import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Run, SecretBytes } from '@kannuki/core';
import type { Journal } from '../volumes/journal.ts';
import { mountedDeviceNumber, unmountVolume } from '../volumes/mounting.ts';
import { keyVolumeMountPoint } from './units.ts';

/**
 * Lets go of the key volume once every volume is open, so that the host can take it away. By umount(8) and not through
 * systemd: a stop of the mount unit would be passed on to the unlock services that asked for it.
 * @returns whether nothing of it is mounted any more
 */
export async function leaveKeyVolume(run: Run): Promise<boolean> {
  if ((await mountedDeviceNumber(run, keyVolumeMountPoint)) === undefined) return true;
  return unmountVolume(run, keyVolumeMountPoint);
}

/** A passphrase has 172 bytes; what is longer is none of ours. */
const passphraseLimit = 1024;

/** The volume's passphrase, where the boot has it on the key volume at this moment. */
export async function passphraseOnKeyVolume({
  keySource,
  keyFileName,
}: Pick<Journal, 'keySource' | 'keyFileName'>): Promise<SecretBytes | undefined> {
  if (keySource !== 'key-volume') return undefined;
  try {
    const file = await open(join(keyVolumeMountPoint, keyFileName), 'r');
    try {
      using buffer = SecretBytes.take(new Uint8Array(new ArrayBuffer(passphraseLimit)));
      const { bytesRead } = await file.read(buffer.bytes, 0, passphraseLimit, 0);
      return SecretBytes.take(buffer.bytes.slice(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
