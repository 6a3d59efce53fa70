import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { openSealed, seal } from '../embedded/sealed.ts';
import { fileHead, refusedFile } from './file-format.ts';
import { type RawRootKey, rawRootKey, rootKeyBytes } from './memory-root-key.ts';

/**
 * The root key sealed under a passphrase. Body: log2 N, r, p (a byte each), salt (32), the key sealed under
 * scrypt(passphrase) and bound to everything before it.
 */
const costStart = 0;
const saltStart = 3;
const saltBytes = 32;
const sealedStart = saltStart + saltBytes;
const sealedBytes = 1 + 12 + 16 + rootKeyBytes;

/** For new files: 128 MiB and some tenths of a second a guess (OWASP's figure for scrypt; RFC 7914). */
const newCost = { logN: 17, r: 8, p: 1 } as const;
/**
 * What a file may ask for. Less would be a passphrase that is easy to guess; more would let whoever writes the file take
 * the memory (at most 256 MiB) or the time of the server.
 */
const largestLogN = 18;
const largestP = 4;

export const smallestPassphraseBytes = 12;
export const largestPassphraseBytes = 1024;

/** @returns head and body for `withCheckSum`; nothing in it is secret. @throws KannukiError KNK-KVT-0022 for a passphrase too short or long */
export async function encodeUnderPassphrase(raw: RawRootKey, passphrase: SecretBytes): Promise<Buffer> {
  const { length } = passphrase;
  if (length < smallestPassphraseBytes || length > largestPassphraseBytes) {
    const reason = `it takes ${smallestPassphraseBytes} to ${largestPassphraseBytes} bytes`;
    throw new KannukiError('KNK-KVT-0022', { details: { what: 'the passphrase', reason } });
  }
  const { logN, r, p } = newCost;
  const clear = Buffer.concat([fileHead('passphrase', raw.id), Buffer.of(logN, r, p), randomBytes(saltBytes)]);
  using key = await derive(passphrase, clear.subarray(-saltBytes), newCost);
  return Buffer.concat([clear, seal(key, raw.key, clear)]);
}

/**
 * @param passphrase stays the caller's
 * @throws KannukiError KNK-KVT-0011 for a form that is none; 0041 where passphrase and file do not fit, whichever of
 * the two is wrong
 */
export async function decodeUnderPassphrase(
  path: string,
  id: Uint8Array,
  body: Uint8Array,
  passphrase: SecretBytes,
): Promise<RawRootKey> {
  const [logN = 0, r = 0, p = 0] = body.subarray(costStart, saltStart);
  if (body.length !== sealedStart + sealedBytes) throw refusedFile(path, 'it has not the length of its kind');
  if (logN < newCost.logN || logN > largestLogN || r !== newCost.r || p < 1 || p > largestP) {
    throw refusedFile(path, 'it asks for a scrypt that is too cheap or too dear');
  }
  const mismatch = (): KannukiError => new KannukiError('KNK-KVT-0041', { details: { file: path } });
  if (passphrase.length === 0 || passphrase.length > largestPassphraseBytes) throw mismatch();
  using wrapping = await derive(passphrase, body.subarray(saltStart, sealedStart), { logN, r, p });
  const clear = Buffer.concat([fileHead('passphrase', id), body.subarray(0, sealedStart)]);
  const key = await openSealed(wrapping, body.subarray(sealedStart), clear);
  if (key === undefined) throw mismatch();
  return rawRootKey(id, key);
}

function derive(
  passphrase: SecretBytes,
  salt: Uint8Array,
  { logN, r, p }: { readonly logN: number; readonly r: number; readonly p: number },
): Promise<SecretBytes> {
  const N = 2 ** logN;
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p + 2) };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.bytes, salt, rootKeyBytes, options, (error, key) => {
      if (error === null) resolve(SecretBytes.take(key));
      else reject(error);
    });
  });
}
