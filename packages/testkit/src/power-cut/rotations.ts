import type { Operation } from './operations/operation.ts';
import { rotatePassphraseOperation } from './operations/rotate-passphrase.ts';
import { rotateVolumeKeyOperation } from './operations/rotate-volume-key.ts';

const rotations: readonly Operation[] = [rotatePassphraseOperation, rotateVolumeKeyOperation];

export function rotationNamed(name: string): Operation {
  const found = rotations.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no rotation ${name}`);
  return found;
}
