import { hostname } from 'node:os';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { encodeHeaderRecord, type Luks2HeaderContent, openKeyslot, readLuks2Header } from '@kannuki/formats';
import {
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
  const receipt = await escrowPassphrase(context.vault, {
    passphrase,
    secretName: journal.secretName,
    kekId: journal.kekId,
    keyFileName: journal.keyFileName,
    machineName: hostname(),
    volumeLetter: useOf(journal).name,
  });
  return { ...journal, passphrase: receipt };
};

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

/** Likewise, of a header that lies somewhere else, e.g. in a file before it is written to its device. */
export async function escrowHeaderAt(path: string, journal: Journal, context: StepContext): Promise<Journal> {
  const bytes = await readHeaderFile(path);
  using passphrase = await readPassphrase(journal, context.vault);
  using volumeKey = openKeyslot(bytes, passphrase);
  const header = readLuks2Header(bytes).newest;
  using blob = await encodeRecord(journal, context.vault, header, volumeKey);
  const receipt = await escrowBlob(context.vault, {
    blob,
    secretName: `${journal.secretName}-header`,
    tags: { LuksUuid: header.uuid, VolumeName: journal.name },
  });
  return { ...journal, headerRecord: receipt };
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
