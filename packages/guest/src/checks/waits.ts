import { deviceTimeoutSeconds } from '../boot/units.ts';

/**
 * After a reboot it takes time until encrypted volumes are mounted, on some systems more than a minute (REQ-052, REQ-054).
 * Until then a volume is `Locked` and nothing has failed.
 */
export const shortestWaitSeconds = 60;

/** From then on a volume that is not there counts as failed; the same bound as that of the boot's own units. */
export const mountWaitSeconds = deviceTimeoutSeconds;

/**
 * Whether a volume that is not mounted yet may just be on its way.
 * @param uptimeSeconds seconds since the boot
 */
export function isStillComing(uptimeSeconds: number): boolean {
  return uptimeSeconds < mountWaitSeconds;
}
