import type { Run } from '@kannuki/core';
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
