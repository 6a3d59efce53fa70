import { isUtf8 } from 'node:buffer';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { maximumSecretBytes } from '../limits.ts';
import { assertObjectName, type ObjectCollection, type ObjectId, requireObjectId } from '../object-id.ts';
import type { KeyInfo, SecretAttributes, StoredSecret, VaultPort, WrapAlgorithm, WrappedKey } from '../port.ts';
import { assertSecretAttributes } from './attribute-limits.ts';
import { type KeyAttributes, keyAttributes, secretAttributes } from './attributes.ts';
import type { VersionFields } from './row-seal.ts';
import { generateRsa, unwrapRsa, wrapRsa } from './rsa.ts';
import type { VersionRow } from './statements.ts';
import type { VaultStore } from './vault-store.ts';

/** Software RSA keys that the vault makes (REQ-327). */
export const rsaKeySizes = [2048, 3072, 4096] as const;
export type RsaKeySize = (typeof rsaKeySizes)[number];

/** What a new RSA key may do unless told otherwise, as in Azure. */
const defaultOperations: readonly string[] = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'];

export interface CreateKeyOptions {
  readonly bits?: RsaKeySize;
  readonly operations?: readonly string[];
}

/** What is known of a secret without its value. */
export interface SecretInfo extends SecretAttributes {
  readonly id: string;
  readonly enabled: boolean;
}

/** One vault of the embedded database: the port, and what its owner needs to manage keys and secrets. */
export class EmbeddedVault implements VaultPort {
  readonly name: string;
  readonly vaultUri: string;
  readonly #host: string;
  readonly #store: VaultStore;

  constructor(store: VaultStore, name: string, dnsSuffix: string) {
    this.#store = store;
    this.name = name;
    this.#host = `${name}.${dnsSuffix}`.toLowerCase();
    this.vaultUri = `https://${this.#host}/`;
  }

  /** Makes the first or a further version of an RSA key in software. @throws KannukiError KNK-KVT-0008, 0020 */
  async createKey(name: string, options: CreateKeyOptions = {}): Promise<KeyInfo> {
    assertObjectName(name, 'keys');
    const { bits = 2048, operations = defaultOperations } = options;
    if (!rsaKeySizes.includes(bits)) {
      const reason = `an RSA key has ${rsaKeySizes.join(', ')} bits`;
      throw new KannukiError('KNK-KVT-0008', { details: { what: `the key size ${String(bits)}`, reason } });
    }
    const { publicKey, privateKey } = await generateRsa(bits);
    using secret = privateKey;
    const attributes: KeyAttributes = { enabled: true, kind: 'RSA', bits, operations, publicKey };
    const text = keyAttributes.write(attributes);
    const fields = await this.#store.addVersion('keys', this.name, name, text, secret);
    return this.#keyInfo(fields, attributes);
  }

  async keyInfo(keyId: string): Promise<KeyInfo> {
    const { row, attributes } = this.#key(keyId);
    return this.#keyInfo(row.fields, attributes);
  }

  async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    const { row, attributes } = this.#usableKey(keyId, 'wrapKey');
    const id = this.#id(row.fields);
    return { keyId: id, value: wrapRsa(id, attributes.publicKey, algorithm, value) };
  }

  async unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    const { row } = this.#usableKey(keyId, 'unwrapKey');
    using privateKey = await this.#store.openValue(row);
    return await unwrapRsa(this.#id(row.fields), privateKey, algorithm, wrapped);
  }

  async setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    assertObjectName(name, 'secrets');
    assertSecretAttributes(name, attributes);
    const cannot = (reason: string): KannukiError =>
      new KannukiError('KNK-KVT-0007', { details: { object: `secret ${name}`, reason } });
    if (value.length === 0) throw cannot('it is empty');
    if (value.length > maximumSecretBytes) throw cannot(`it has ${value.length} bytes`);
    if (!isUtf8(value.bytes)) throw cannot('it is not UTF-8');
    const { contentType, tags } = attributes;
    const text = secretAttributes.write({ enabled: true, contentType, tags });
    return { id: this.#id(await this.#store.addVersion('secrets', this.name, name, text, value)) };
  }

  async getSecret(secretId: string): Promise<StoredSecret> {
    const row = this.#row(secretId, 'secrets');
    const info = this.#secretInfo(row);
    if (!info.enabled) throw new KannukiError('KNK-KVT-0004', { details: { object: info.id } });
    return { ...info, value: await this.#store.openValue(row) };
  }

  /** The newest version of every key. */
  listKeys(): readonly KeyInfo[] {
    return this.#store.newestOfEach('keys', this.name).map((row) => this.#infoOfKey(row));
  }

  /** All versions of a key, oldest first. */
  keyVersions(name: string): readonly KeyInfo[] {
    return this.#store.versions('keys', this.name, name).map((row) => this.#infoOfKey(row));
  }

  /** The newest version of every secret, without values. */
  listSecrets(): readonly SecretInfo[] {
    return this.#store.newestOfEach('secrets', this.name).map((row) => this.#secretInfo(row));
  }

  /** All versions of a secret, oldest first, without values. */
  secretVersions(name: string): readonly SecretInfo[] {
    return this.#store.versions('secrets', this.name, name).map((row) => this.#secretInfo(row));
  }

  /** A disabled key neither wraps nor unwraps. Without version in the id: the newest. */
  async setKeyEnabled(keyId: string, enabled: boolean): Promise<void> {
    const { name, version } = this.#ownId(keyId, 'keys');
    const change = (text: string): string => keyAttributes.write({ ...keyAttributes.read(text), enabled });
    await this.#store.replaceAttributes('keys', this.name, name, version, change);
  }

  /** The value of a disabled secret is not given out. Without version in the id: the newest. */
  async setSecretEnabled(secretId: string, enabled: boolean): Promise<void> {
    const { name, version } = this.#ownId(secretId, 'secrets');
    const change = (text: string): string => secretAttributes.write({ ...secretAttributes.read(text), enabled });
    await this.#store.replaceAttributes('secrets', this.name, name, version, change);
  }

  #usableKey(keyId: string, call: 'wrapKey' | 'unwrapKey'): { row: VersionRow; attributes: KeyAttributes } {
    const key = this.#key(keyId);
    const object = this.#id(key.row.fields);
    if (!key.attributes.enabled) throw new KannukiError('KNK-KVT-0004', { details: { object } });
    if (!key.attributes.operations.includes(call)) {
      throw new KannukiError('KNK-KVT-0002', { details: { vault: this.vaultUri, call, object } });
    }
    return key;
  }

  #key(keyId: string): { row: VersionRow; attributes: KeyAttributes } {
    const row = this.#row(keyId, 'keys');
    return { row, attributes: keyAttributes.read(row.fields.attributes) };
  }

  #row(id: string, collection: ObjectCollection): VersionRow {
    const { name, version } = this.#ownId(id, collection);
    const row = this.#store.find(collection, this.name, name, version);
    if (row === undefined) throw notFound(id);
    return row;
  }

  #ownId(id: string, collection: ObjectCollection): ObjectId {
    const parsed = requireObjectId(id, collection);
    if (parsed.host !== this.#host) throw notFound(id);
    return parsed;
  }

  #infoOfKey(row: VersionRow): KeyInfo {
    return this.#keyInfo(row.fields, keyAttributes.read(row.fields.attributes));
  }

  #keyInfo(fields: VersionFields, attributes: KeyAttributes): KeyInfo {
    const { kind, bits, enabled, operations } = attributes;
    return { id: this.#id(fields), kind, bits, enabled, operations };
  }

  #secretInfo(row: VersionRow): SecretInfo {
    return { id: this.#id(row.fields), ...secretAttributes.read(row.fields.attributes) };
  }

  #id({ collection, name, version }: VersionFields): string {
    return `https://${this.#host}/${collection}/${name}/${version}`;
  }
}

function notFound(id: string): KannukiError {
  return new KannukiError('KNK-KVT-0003', { details: { object: id.slice(0, 400) } });
}
