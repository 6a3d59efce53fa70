import { join } from 'node:path';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { largestPassphraseBytes } from './passphrase-form.ts';
import { type Privacy, readPrivateFile } from './private-file.ts';

/** A passphrase, a PIN, and the root key itself, as systemd hands them to the service (systemd.exec(5), LoadCredential=). */
export type CredentialName = 'kannuki-root-key' | 'kannuki-passphrase' | 'kannuki-pkcs11-pin';

/** @returns undefined where systemd gave this process no credentials. The file itself may still be missing. */
export function credentialFile(
  name: CredentialName,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const directory = environment.CREDENTIALS_DIRECTORY;
  return directory === undefined || directory === '' ? undefined : join(directory, name);
}

/**
 * Reads a passphrase or PIN from a file; one line end after it is not part of it.
 * @param what names it in errors
 * @returns the caller disposes it
 * @throws KannukiError KNK-KVT-0044
 */
export async function readSecretFile(path: string, what: string, privacy: Privacy = 'own'): Promise<SecretBytes> {
  const refused = (reason: string, cause?: unknown): KannukiError =>
    new KannukiError('KNK-KVT-0044', { details: { file: path, what, reason }, cause });
  using content = await readPrivateFile(path, {
    privacy,
    largest: largestPassphraseBytes + 2,
    refused,
    missing: (cause) => refused('there is none', cause),
  });
  return withoutLineEnd(content);
}

/** The bytes before one line end. The argument stays the caller's, the result too. */
export function withoutLineEnd(content: SecretBytes): SecretBytes {
  const { bytes } = content;
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= 1;
  if (end < bytes.length && bytes[end - 1] === 0x0d) end -= 1;
  return SecretBytes.copy(bytes.subarray(0, end));
}
