import type { Volume } from '../../../facts/model.ts';
import { lastingName } from '../../../targets/devices.ts';

/** What a volume is known by to someone who confirmed that it may be formatted. All of it has to be the same. */
export interface VolumeIdentity {
  /** A name that lasts, where there is one, else the kernel's. */
  readonly device: string;
  readonly sizeBytes: number;
  readonly serial: string | null;
  readonly fileSystemUuid: string | null;
}

export function identityOf({ device }: Pick<Volume, 'device'>): VolumeIdentity {
  return {
    device: lastingName(device) ?? device.path,
    sizeBytes: device.sizeBytes,
    serial: device.serial,
    fileSystemUuid: device.signature?.uuid ?? null,
  };
}

export function isSameVolume(left: VolumeIdentity, right: VolumeIdentity): boolean {
  return (
    left.device === right.device &&
    left.sizeBytes === right.sizeBytes &&
    left.serial === right.serial &&
    left.fileSystemUuid === right.fileSystemUuid
  );
}
