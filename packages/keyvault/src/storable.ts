import { isUtf8 } from 'node:buffer';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { assertSecretAttributes } from './embedded/attribute-limits.ts';
import { maximumSecretBytes } from './limits.ts';
import { assertObjectName } from './object-id.ts';
import type { SecretAttributes } from './port.ts';

/**
 * Refuses what Azure's vaults would refuse, before anything is sent, so that every driver draws the same line.
 * @throws KannukiError KNK-KVT-0008 for the name, 0007 for the rest
 */
export function assertStorable(name: string, value: SecretBytes, attributes: SecretAttributes): void {
  assertObjectName(name, 'secrets');
  assertSecretAttributes(name, attributes);
  if (value.length === 0) throw notStorable(name, 'it is empty');
  if (value.length > maximumSecretBytes) throw notStorable(name, `it has ${value.length} bytes`);
  if (!isUtf8(value.bytes)) throw notStorable(name, 'it is not UTF-8');
}

export function notStorable(name: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0007', { details: { object: `secret ${name}`, reason } });
}
