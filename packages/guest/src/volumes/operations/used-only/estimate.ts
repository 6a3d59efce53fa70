import { bytesBehind, type ExtGeometry } from './ext-geometry.ts';

/** One way to encrypt a volume, as it is foreseen. Bytes that are read, encrypted and written back; seconds. */
export interface WayEstimate {
  readonly bytes: number;
  readonly seconds: number;
  readonly downtimeSeconds: number;
}

export interface UsedOnlyEstimate extends WayEstimate {
  /** The file system is shrunk to this, and only this is converted. */
  readonly frontBytes: number;
  /** Written over with zeros. */
  readonly tailBytes: number;
}

export interface Estimates {
  readonly wholeDisk: WayEstimate;
  readonly usedOnly: UsedOnlyEstimate;
}

/** What the disk does in a second, bytes. */
export interface DiskSpeed {
  readonly read: number;
  /** The disk takes "these are zeros" as a command (write zeroes); then no zeros go over the wire. */
  readonly zeroesByCommand: boolean;
}

const mebibyte = 1024 * 1024;
/** Unmount, open, mount: measured 0.6 s to 1.1 s (docs/volumes.md, Figures). */
const mapSeconds = 1;
/** Start of e2fsck and resize2fs, and what they do whatever the size is. */
const toolSeconds = 0.6;
/** A conversion reads a block, writes it to the journal in the header, and writes it back. */
const conversionShare = 1 / 3;
/** Encryption of one processor with AES instructions, whatever the disk could do. */
const fastestConversion = 400 * mebibyte;
/** Of blocks that are moved in the downtime and then flushed. The speed that was measured may be that of a cache of the host, which no flush has. */
const fastestMove = 200 * mebibyte;
/** Of zeros by command: the slowest disks that know it. */
const zeroesByCommandSpeed = 2048 * mebibyte;
const writeShare = 2 / 3;

/**
 * Both ways for one volume. Careful rather than exact: the disk is taken to be slower than it was measured where it writes.
 * @param deviceBytes of the whole volume
 * @param frontBytes of the shrunk file system
 */
export function estimateBoth(
  geometry: ExtGeometry,
  speed: DiskSpeed,
  sizes: { readonly deviceBytes: number; readonly frontBytes: number },
): Estimates {
  const { deviceBytes, frontBytes } = sizes;
  const conversion = Math.min(speed.read * conversionShare, fastestConversion);
  const tailBytes = deviceBytes - frontBytes;
  const zeroing = speed.zeroesByCommand ? zeroesByCommandSpeed : speed.read * writeShare;
  const moved = bytesBehind(geometry, frontBytes);
  const shrinkSeconds =
    toolSeconds + (2 * geometry.inodeTableBytes) / speed.read + moved / Math.min(conversion, fastestMove);
  const downtimeSeconds = mapSeconds + shrinkSeconds;
  return {
    wholeDisk: { bytes: deviceBytes, seconds: mapSeconds + deviceBytes / conversion, downtimeSeconds: mapSeconds },
    usedOnly: {
      bytes: frontBytes,
      seconds: downtimeSeconds + tailBytes / zeroing + frontBytes / conversion,
      downtimeSeconds,
      frontBytes,
      tailBytes,
    },
  };
}

/** Below it nobody waits for long, and the short downtime counts for more. */
const worthwhileSeconds = 30;

/** Whether used space only is worth its longer downtime, without anybody having been asked. */
export function pays({ wholeDisk, usedOnly }: Estimates, maximumDowntimeSeconds: number): boolean {
  return (
    wholeDisk.seconds >= worthwhileSeconds &&
    usedOnly.seconds < wholeDisk.seconds / 2 &&
    usedOnly.downtimeSeconds <= maximumDowntimeSeconds
  );
}

/**
 * How far the file system is shrunk: its minimum, room for what programs write until the unmount, a whole MiB.
 * @returns null when that leaves nothing worth leaving out
 */
export function frontFor(minimumBytes: number, deviceBytes: number): number | null {
  const room = Math.max(64 * mebibyte, minimumBytes * 0.05);
  const front = Math.ceil((minimumBytes + room) / mebibyte) * mebibyte;
  return front + smallestTail <= deviceBytes ? front : null;
}

const smallestTail = 16 * mebibyte;
