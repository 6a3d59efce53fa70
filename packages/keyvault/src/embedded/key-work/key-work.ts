import { constants, createPublicKey, type KeyObject, publicDecrypt, publicEncrypt } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { EncryptionAlgorithm, KeyShape } from '../../service/key-module.ts';
import type { VersionRow } from '../statements.ts';
import { curves } from './curves.ts';
import { encodePss, isPssOf, type SignatureScheme, withDigestInfo } from './digest-encoding.ts';
import { ecCheck, signDigest } from './ecdsa.ts';
import { generateMaterial, importMaterial, type KeyMaterial } from './key-material.ts';
import { KeyWorkers, type WorkerValue } from './key-workers.ts';
import { Permits, privateOperations } from './permits.ts';
import { type OpenKey, PrivateKeys } from './private-keys.ts';
import type { WorkerTask } from './worker-source.ts';

/** How OpenSSL is asked for each algorithm. OAEP has one hash for itself and its MGF1 (RFC 7518, 4.3). */
const paddings = {
  RSA1_5: { padding: constants.RSA_PKCS1_PADDING },
  'RSA-OAEP': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  'RSA-OAEP-256': { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
} as const satisfies Record<EncryptionAlgorithm, object>;

const longestQueue = 32_768;
const largestSignature = 512;

/**
 * The computations with software keys. Private ones run off the event loop, in workers. Web Crypto would do OAEP on the
 * thread pool, but one operation of a key at a time, and at a third more than the operation itself costs.
 */
export class KeyWork {
  readonly #open: OpenKey;
  readonly #keys: PrivateKeys;
  readonly #workers = new KeyWorkers();
  readonly #private = new Permits(privateOperations, longestQueue);
  /** To look for primes takes seconds: one at a time, beside the private operations and not among them. */
  readonly #making = new Permits(1, 256);

  constructor(open: OpenKey) {
    this.#open = open;
    this.#keys = new PrivateKeys(open, (numbers) => this.#workers.forget(numbers));
  }

  generate(shape: KeyShape): Promise<KeyMaterial> {
    return this.#making.run(() => generateMaterial(shape));
  }

  /** @throws KannukiError KNK-KVT-0022 */
  import(pkcs8: SecretBytes): Promise<KeyMaterial> {
    return this.#private.run(() => importMaterial(pkcs8));
  }

  /** @returns undefined where the value is too long for key and algorithm */
  encrypt(publicKey: Uint8Array, algorithm: EncryptionAlgorithm, plain: SecretBytes): Uint8Array | undefined {
    const key = publicKeyObject(publicKey);
    try {
      return publicEncrypt({ key, ...paddings[algorithm] }, plain.bytes);
    } catch {
      return undefined;
    }
  }

  /**
   * One answer for whatever is wrong with the ciphertext: telling padding from length would be an oracle (Manger 2001).
   * RSA1_5 has no such answer at all: OpenSSL gives a value that depends on key and ciphertext only (implicit rejection),
   * so that nobody can tell wrong padding from right (Bleichenbacher 1998).
   * @returns undefined where it is wrong; the caller disposes the value
   */
  async decrypt(
    row: VersionRow,
    bits: number,
    algorithm: EncryptionAlgorithm,
    ciphertext: Uint8Array,
  ): Promise<SecretBytes | undefined> {
    if (ciphertext.length * 8 !== bits) return undefined;
    const task = { kind: 'rsaDecrypt', data: ciphertext, ...paddings[algorithm] } as const;
    const value = await this.#withKey(row, task);
    return value instanceof Uint8Array ? SecretBytes.take(value) : undefined;
  }

  /** @param digest of the scheme's length; for PKCS1 without a hash: up to the length of the modulus less 11 bytes */
  async sign(row: VersionRow, scheme: SignatureScheme, bits: number, digest: Uint8Array): Promise<Uint8Array> {
    if (scheme.kind === 'EC') {
      const curve = curves[scheme.curve];
      using privateKey = await this.#open(row);
      return await this.#private.run(() => signDigest(curve, privateKey, digest));
    }
    const isPss = scheme.kind === 'PSS';
    const task = {
      kind: 'rsaSign',
      padding: isPss ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING,
      data: isPss ? encodePss(scheme.hash, digest, bits / 8) : withDigestInfo(scheme.hash, digest),
    } as const;
    const value = await this.#withKey(row, task);
    if (value instanceof Uint8Array) return value;
    throw new KannukiError('KNK-KVT-0018', { details: { key: row.fields.name, call: 'sign', algorithm: scheme.kind } });
  }

  async verify(
    publicKey: Uint8Array,
    scheme: SignatureScheme,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    if (signature.length > largestSignature) return false;
    if (scheme.kind === 'EC') {
      const check = ecCheck(publicKey, digest, signature);
      return check !== undefined && (await this.#workers.run({ task: { kind: 'ecVerify', check } })) === true;
    }
    const padding = scheme.kind === 'PSS' ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING;
    const opened = openedSignature(publicKeyObject(publicKey), padding, signature);
    if (opened === undefined) return false;
    if (scheme.kind === 'PSS') return isPssOf(scheme.hash, digest, opened);
    return opened.equals(withDigestInfo(scheme.hash, digest));
  }

  async #withKey(row: VersionRow, task: WorkerTask): Promise<WorkerValue> {
    const key = await this.#keys.get(row);
    try {
      return await this.#workers.run({ task, key });
    } finally {
      // Let go of while it was on its way: the worker must not be the last to keep it.
      if (!this.#keys.has(key.number)) this.#workers.forget([key.number]);
    }
  }

  /** Lets go of the usable private keys of one object, or of all. */
  forget(objectId?: number): void {
    this.#keys.forget(objectId);
  }

  async close(): Promise<void> {
    this.#keys.forget();
    await this.#workers.close();
  }
}

function publicKeyObject(spki: Uint8Array): KeyObject {
  const key = Buffer.from(spki.buffer, spki.byteOffset, spki.length);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

function openedSignature(key: KeyObject, padding: number, signature: Uint8Array): Buffer | undefined {
  try {
    return publicDecrypt({ key, padding }, signature);
  } catch {
    return undefined;
  }
}
