import { hostname } from 'node:os';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { encodeHeaderRecord, type Luks2HeaderContent, openKeyslot, readLuks2Header } from '@kannuki/formats';
import {
  type BlobReceipt,
  type EscrowReceipt,
  escrowBlob,
  escrowPassphrase,
  generatePassphrase,
  releasePassphrase,
  requireUsableKek,
  type VaultPort,
} from '@kannuki/keyvault';
import type { Step, StepContext } from '../context.ts';
import { readHeaderFile } from '../header-file.ts';
import { headerPlace } from '../header-place.ts';
import type { Journal } from '../journal.ts';
import { useOf } from '../uses/uses.ts';

/** Refuses a key that cannot be a KEK before anything is begun. @throws KannukiError KNK-KVT-0005 with findings */
export async function assertUsableKek(vault: VaultPort, kekId: string | null): Promise<void> {
  if (kekId !== null) await requireUsableKek(vault, kekId);
}

/** Makes the volume's passphrase and puts it into the vault; from here on it is only read from there. */
export const escrowVolumePassphrase: Step = async (journal, context) => {
  using passphrase = generatePassphrase();
  return { ...journal, passphrase: await escrowAsNewest(journal, context.vault, passphrase, journal.kekId) };
};

/** Makes a new version of the volume's secret: the newest one is what a server puts onto the key volume of the next boot. */
export function escrowAsNewest(
  journal: Journal,
  vault: VaultPort,
  passphrase: SecretBytes,
  kekId: string | null,
): Promise<EscrowReceipt> {
  return escrowPassphrase(vault, {
    passphrase,
    secretName: journal.secretName,
    kekId,
    keyFileName: journal.keyFileName,
    machineName: hostname(),
    volumeLetter: useOf(journal).name,
  });
}

/** The passphrase as the vault gives it back: what every later step, and the next boot, works with. */
export async function readPassphrase(journal: Journal, vault: VaultPort): Promise<SecretBytes> {
  if (journal.passphrase === null) throw new KannukiError('KNK-VOL-0007', { details: { target: useOf(journal).name } });
  return releasePassphrase(vault, journal.passphrase);
}

/**
 * Puts into the vault what rebuilds a lost header: its metadata and the volume key, wrapped by the KEK where there is
 * one. Done before the first block changes, and again at the end, when the header has become another.
 */
export const escrowHeader: Step = (journal, context) =>
  escrowHeaderAt(headerPlace(journal, context.paths), journal, context);

/** The same for a header that is not at its place yet. */
export async function escrowHeaderAt(path: string, journal: Journal, context: StepContext): Promise<Journal> {
  const bytes = await readHeaderFile(path);
  using passphrase = await readPassphrase(journal, context.vault);
  using volumeKey = openKeyslot(bytes, passphrase);
  const header = readLuks2Header(bytes).newest;
  return { ...journal, headerRecord: await escrowRecord(journal, context.vault, header, volumeKey) };
}

/** One header record: metadata and one volume key. @param suffix of the secret's name */
export async function escrowRecord(
  journal: Journal,
  vault: VaultPort,
  header: Luks2HeaderContent,
  volumeKey: SecretBytes,
  suffix = 'header',
): Promise<BlobReceipt> {
  using blob = await encodeRecord(journal, vault, header, volumeKey);
  return await escrowBlob(vault, {
    blob,
    secretName: `${journal.secretName}-${suffix}`,
    tags: { LuksUuid: header.uuid, VolumeName: journal.name },
  });
}

/** With a KEK the volume key leaves the VM only wrapped, and what was wrapped is unwrapped once, to be sure of it. */
async function encodeRecord(
  journal: Journal,
  vault: VaultPort,
  header: Luks2HeaderContent,
  volumeKey: SecretBytes,
): Promise<SecretBytes> {
  const kekId = journal.passphrase?.kekId ?? null;
  if (kekId === null) return encodeHeaderRecord(header, { wrapping: null, value: volumeKey });
  const algorithm = journal.passphrase?.algorithm ?? 'RSA-OAEP';
  const wrapped = await vault.wrapKey(kekId, algorithm, volumeKey);
  using unwrapped = await vault.unwrapKey(wrapped.keyId, algorithm, wrapped.value);
  if (!unwrapped.equals(volumeKey)) {
    throw new KannukiError('KNK-KVT-0006', {
      details: { vault: vault.vaultUri, object: wrapped.keyId, difference: 'the wrapped volume key' },
    });
  }
  return encodeHeaderRecord(header, { wrapping: { algorithm, keyId: wrapped.keyId }, value: wrapped.value });
}
