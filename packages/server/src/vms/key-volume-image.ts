import type { SecretBytes } from '@kannuki/core';
import { writeFat } from '@kannuki/formats';

/** A passphrase under its name on the key volume. */
export interface KeyFile {
  readonly name: string;
  readonly content: SecretBytes;
}

/** ADE's label, by which people know the volume. */
const label = 'BEK VOLUME';

/** The key volume as bytes in memory; the caller disposes it. @param volumeId `XXXX-XXXX` */
export function keyVolumeImage(volumeId: string, files: readonly KeyFile[]): SecretBytes {
  return writeFat({ label, volumeId, files });
}
