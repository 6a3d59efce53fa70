import { decrypt } from './operations/decrypt.ts';
import { encrypt } from './operations/encrypt.ts';
import { format } from './operations/format.ts';
import type { Operation } from './operations/operation.ts';
import { rotatePassphraseOperation } from './operations/rotate-passphrase.ts';
import { rotateVolumeKeyOperation } from './operations/rotate-volume-key.ts';
import { usedOnly } from './operations/used-only.ts';

/** Every operation that power cuts are tried on. */
export const operations: readonly Operation[] = [
  encrypt,
  usedOnly,
  format,
  decrypt,
  rotatePassphraseOperation,
  rotateVolumeKeyOperation,
];

export function operationNamed(name: string): Operation {
  const found = operations.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`no operation ${name}`);
  return found;
}
