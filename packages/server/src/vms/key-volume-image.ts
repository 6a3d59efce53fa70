import type { SecretBytes } from '@kannuki/core';

export interface KeyFile {
  readonly name: string;
  readonly content: SecretBytes;
}

export function keyVolumeImage(_volumeId: string, _files: readonly KeyFile[]): SecretBytes {
  throw new Error('not yet');
}
