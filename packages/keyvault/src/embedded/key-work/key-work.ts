import { constants, createPublicKey, type KeyObject, publicDecrypt, publicEncrypt, subtle } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { EncryptionAlgorithm, KeyShape } from '../../service/key-module.ts';
import { ownBytes } from '../own-bytes.ts';
import type { VersionRow } from '../statements.ts';
import { curves } from './curves.ts';
import { encodePss, isPssOf, type SignatureScheme, withDigestInfo } from './digest-encoding.ts';
import { ecCheck, signDigest } from './ecdsa.ts';
import { generateMaterial, importMaterial, type KeyMaterial } from './key-material.ts';
import { KeyWorkers } from './key-workers.ts';
import { Permits, privateOperations } from './permits.ts';
import { type OpenKey, PrivateKeys } from './private-keys.ts';

/** The hash of OAEP and of its MGF1 (RFC 7518, 4.3): OpenSSL's name and Web Crypto's. */
const oaep = {
  'RSA-OAEP': { openssl: 'sha1', webCrypto: 'SHA-1' },
  'RSA-OAEP-256': { openssl: 'sha256', webCrypto: 'SHA-256' },
} as const;

const longestQueue = 32_768;
const largestSignature = 512;

/**
 * The computations with software keys. Private ones run off the event loop, a few at a time: OAEP by Web Crypto on the
 * thread pool, the rest in workers.
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
    this.#keys = new PrivateKeys(open);
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
    const padding =
      algorithm === 'RSA1_5'
        ? { padding: constants.RSA_PKCS1_PADDING }
        : { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: oaep[algorithm].openssl };
    try {
      return publicEncrypt({ key, ...padding }, plain.bytes);
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
    if (algorithm === 'RSA1_5') {
      const key = await this.#keys.keyObject(row);
      const data = Uint8Array.from(ciphertext);
      const value = await this.#workers.run({ kind: 'rsaDecrypt', key, padding: constants.RSA_PKCS1_PADDING, data });
      return value instanceof Uint8Array ? SecretBytes.take(value) : undefined;
    }
    const key = await this.#keys.oaep(row, oaep[algorithm].webCrypto);
    return this.#private.run(async () => {
      try {
        return SecretBytes.take(new Uint8Array(await subtle.decrypt({ name: 'RSA-OAEP' }, key, ownBytes(ciphertext))));
      } catch {
        return undefined;
      }
    });
  }

  /** @param digest of the scheme's length; for PKCS1 without a hash: up to the length of the modulus less 11 bytes */
  async sign(row: VersionRow, scheme: SignatureScheme, bits: number, digest: Uint8Array): Promise<Uint8Array> {
    if (scheme.kind === 'EC') {
      const curve = curves[scheme.curve];
      using privateKey = await this.#open(row);
      return await this.#private.run(() => signDigest(curve, privateKey, digest));
    }
    const isPss = scheme.kind === 'PSS';
    const value = await this.#workers.run({
      kind: 'rsaSign',
      key: await this.#keys.keyObject(row),
      padding: isPss ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING,
      data: Uint8Array.from(isPss ? encodePss(scheme.hash, digest, bits / 8) : withDigestInfo(scheme.hash, digest)),
    });
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
      return check !== undefined && (await this.#workers.run({ kind: 'ecVerify', check })) === true;
    }
    const padding = scheme.kind === 'PSS' ? constants.RSA_NO_PADDING : constants.RSA_PKCS1_PADDING;
    const opened = openedSignature(publicKeyObject(publicKey), padding, signature);
    if (opened === undefined) return false;
    if (scheme.kind === 'PSS') return isPssOf(scheme.hash, digest, opened);
    return opened.equals(withDigestInfo(scheme.hash, digest));
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
