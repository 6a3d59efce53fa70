import { KannukiError, type SecretBytes } from '@kannuki/core';
import { isSameVersion, parseObjectId } from '../object-id.ts';
import type { SecretAttributes, StoredSecret, VaultPort } from '../port.ts';
import { vaultCall } from './vault-call.ts';

/**
 * Stores a new version, reads that very version back and compares everything: only then it counts as stored.
 * @returns the versioned id
 * @throws KannukiError KNK-KVT-0006 where anything differs, KNK-KVT-0014 where the vault names no version
 */
export async function storeAndReadBack(
  vault: VaultPort,
  name: string,
  value: SecretBytes,
  attributes: SecretAttributes,
): Promise<string> {
  const { id } = await vaultCall(vault, 'setSecret', () => vault.setSecret(name, value, attributes));
  const parsed = parseObjectId(id, 'secrets');
  if (parsed === undefined || parsed.version === null || parsed.name.toLowerCase() !== name.toLowerCase()) {
    const reason = 'it named no version of the secret that it was told to store';
    throw new KannukiError('KNK-KVT-0014', { details: { vault: vault.vaultUri, reason } });
  }
  const stored = await vaultCall(vault, 'getSecret', () => vault.getSecret(id));
  using readBack = stored.value;
  const difference = attributesDifference(id, attributes, stored) ?? (readBack.equals(value) ? undefined : 'the value');
  if (difference !== undefined) throw readBackDiffers(vault, id, difference);
  return id;
}

export function readBackDiffers(vault: VaultPort, object: string, difference: string): KannukiError {
  return new KannukiError('KNK-KVT-0006', { details: { vault: vault.vaultUri, object, difference } });
}

function attributesDifference(id: string, wanted: SecretAttributes, stored: StoredSecret): string | undefined {
  if (!isSameVersion(stored.id, id, 'secrets')) return 'the version';
  if (!stored.enabled) return 'it is disabled';
  if (stored.contentType !== wanted.contentType) return 'the content type';
  const names = new Set([...Object.keys(wanted.tags), ...Object.keys(stored.tags)]);
  for (const name of names) if (wanted.tags[name] !== stored.tags[name]) return `the tag ${name.slice(0, 80)}`;
  return undefined;
}
