import { KannukiError, type SecretBytes } from '@kannuki/core';
import type { EncryptionAlgorithm, SignatureAlgorithm } from '../service/key-module.ts';
import type { KeyVersion } from '../service/model.ts';
import { type KeyAttributes, keyAttributes, keyVersion } from './attributes.ts';
import { type HardwareKeys, isHardware } from './hardware-keys.ts';
import { digestBytes, type SignatureScheme, signatureSchemes } from './key-work/digest-encoding.ts';
import { wrongParameter } from './object-checks.ts';
import type { VersionRow } from './statements.ts';
import type { VaultContext } from './vault-context.ts';

type Operation = 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey' | 'sign' | 'verify';

/** Outside nbf and exp only what has been protected already can be read or checked (REQ-136, REQ-338). */
const always: ReadonlySet<Operation> = new Set(['decrypt', 'unwrapKey', 'verify']);

export interface Usable {
  readonly attributes: KeyAttributes;
  readonly key: KeyVersion;
}

/** What can be done with a version of a key that was looked up. */
export class KeyUse {
  readonly #context: VaultContext;
  readonly #hardware: HardwareKeys;

  constructor(context: VaultContext, hardware: HardwareKeys) {
    this.#context = context;
    this.#hardware = hardware;
  }

  async encrypt(
    row: VersionRow,
    operation: 'encrypt' | 'wrapKey',
    algorithm: EncryptionAlgorithm,
    plain: SecretBytes,
  ): Promise<{ readonly key: KeyVersion; readonly value: Uint8Array }> {
    const { key, attributes } = this.#usable(row, operation);
    if (isHardware(attributes.kind)) this.#hardware.assertEncryption(algorithm);
    const value = this.#context.work.encrypt(attributes.publicKey, algorithm, plain);
    if (value === undefined) throw wrongValue(key, operation, algorithm);
    return { key, value };
  }

  async decrypt(
    row: VersionRow,
    operation: 'decrypt' | 'unwrapKey',
    algorithm: EncryptionAlgorithm,
    ciphertext: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: SecretBytes }> {
    const { key, attributes } = this.#usable(row, operation);
    const value = isHardware(attributes.kind)
      ? await this.#hardware.decrypt(row, algorithm, ciphertext)
      : await this.#context.work.decrypt(row, attributes.bits, algorithm, ciphertext);
    if (value === undefined) throw wrongValue(key, operation, algorithm);
    return { key, value };
  }

  async sign(
    row: VersionRow,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: Uint8Array }> {
    const { key, attributes } = this.#usable(row, 'sign');
    const scheme = fittingScheme(key, algorithm, digest);
    const value = isHardware(attributes.kind)
      ? await this.#hardware.sign(row, algorithm, digest)
      : await this.#context.work.sign(row, scheme, attributes.bits, digest);
    return { key, value };
  }

  async verify(
    row: VersionRow,
    algorithm: SignatureAlgorithm,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<{ readonly key: KeyVersion; readonly value: boolean }> {
    const { key, attributes } = this.#usable(row, 'verify');
    const scheme = fittingScheme(key, algorithm, digest);
    return { key, value: await this.#context.work.verify(attributes.publicKey, scheme, digest, signature) };
  }

  #usable(row: VersionRow, operation: Operation): Usable {
    const usable = readKey(row);
    const { key, attributes } = usable;
    const object = `keys/${key.name}/${key.version}`;
    if (!attributes.enabled) throw new KannukiError('KNK-KVT-0004', { details: { object } });
    if (!attributes.operations.includes(operation)) {
      throw new KannukiError('KNK-KVT-0023', { details: { object, operation } });
    }
    if (!always.has(operation)) assertValidNow(object, attributes, this.#context.now());
    return usable;
  }
}

/** What was read from a row, for as long as somebody has the row. */
const readKeys = new WeakMap<VersionRow, Usable>();

export function readKey(row: VersionRow): Usable {
  const known = readKeys.get(row);
  if (known !== undefined) return known;
  const attributes = keyAttributes.read(row.fields.attributes);
  const read = { attributes, key: keyVersion(row.fields, attributes) };
  readKeys.set(row, read);
  return read;
}

/** @param now milliseconds since 1970 @throws KannukiError KNK-KVT-0024 */
export function assertValidNow(object: string, { notBefore, expires }: KeyAttributes, now: number): void {
  const seconds = now / 1000;
  const outside = (reason: string): KannukiError => new KannukiError('KNK-KVT-0024', { details: { object, reason } });
  if (notBefore !== null && seconds < notBefore) throw outside('it is not valid yet');
  if (expires !== null && seconds >= expires) throw outside('it has expired');
}

/** @throws KannukiError KNK-KVT-0022 where algorithm and key, or algorithm and digest, do not fit (REQ-337) */
function fittingScheme(key: KeyVersion, algorithm: SignatureAlgorithm, digest: Uint8Array): SignatureScheme {
  const scheme = signatureSchemes[algorithm];
  const { publicKey, bits } = key;
  const fits =
    scheme.kind === 'EC' ? publicKey.kty === 'EC' && publicKey.crv === scheme.curve : publicKey.kty === 'RSA';
  if (!fits) throw wrongParameter('alg', `a key ${publicKey.kty} of ${bits} bits does not do ${algorithm}`);
  if (scheme.hash === null) {
    const longest = bits / 8 - 11;
    if (digest.length < 1 || digest.length > longest) {
      throw wrongParameter('the digest', `it has 1 to ${longest} bytes for ${algorithm}`);
    }
  } else if (digest.length !== digestBytes[scheme.hash]) {
    throw wrongParameter('the digest', `it has ${digestBytes[scheme.hash]} bytes for ${algorithm}`);
  }
  return scheme;
}

function wrongValue({ name, version }: KeyVersion, call: string, algorithm: string): KannukiError {
  return new KannukiError('KNK-KVT-0018', { details: { key: `keys/${name}/${version}`, call, algorithm } });
}
