import { isUtf8 } from 'node:buffer';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { maximumSecretBytes } from '../limits.ts';
import { assertObjectName, hostName, type ObjectCollection, type ObjectId, requireObjectId } from '../object-id.ts';
import type { KeyInfo, SecretAttributes, StoredSecret, VaultPort, WrapAlgorithm, WrappedKey } from '../port.ts';
import type { VaultObjects } from '../service/vault-objects.ts';
import { assertSecretAttributes } from './attribute-limits.ts';
import { type KeyAttributes, keyAttributes, secretAttributes } from './attributes.ts';
import { HardwareKeys } from './hardware-keys.ts';
import { KeyUse, readKey } from './key-use.ts';
import { operationsOf } from './object-checks.ts';
import type { ObjectName } from './object-state.ts';
import type { VersionFields } from './row-seal.ts';
import type { VersionRow } from './statements.ts';
import type { VaultContext } from './vault-context.ts';
import { EmbeddedKeys } from './vault-keys.ts';
import { EmbeddedSecrets } from './vault-secrets.ts';

/** RSA keys that the vault makes (REQ-327). */
export const rsaKeySizes = [2048, 3072, 4096] as const;
export type RsaKeySize = (typeof rsaKeySizes)[number];

export interface CreateKeyOptions {
  readonly bits?: RsaKeySize;
  /** Made in the HSM and never outside it: the caller has seen that the vault is premium. Default false. */
  readonly hardware?: boolean;
  readonly operations?: readonly string[];
}

/** What is known of a secret without its value. */
export interface SecretInfo extends SecretAttributes {
  readonly id: string;
  readonly enabled: boolean;
}

/**
 * One vault of the embedded database: the port of Kannuki's own programs, what its owner needs to manage keys and
 * secrets, and (`keys`, `secrets`) all that the data plane of Azure's vaults can do.
 */
export class EmbeddedVault implements VaultPort, VaultObjects {
  readonly name: string;
  readonly vaultUri: string;
  readonly keys: EmbeddedKeys;
  readonly secrets: EmbeddedSecrets;
  readonly #host: string;
  readonly #context: VaultContext;
  readonly #use: KeyUse;

  constructor(context: VaultContext, name: string, dnsSuffix: string) {
    this.#context = context;
    this.name = name;
    this.#host = `${name}.${dnsSuffix}`.toLowerCase();
    this.vaultUri = `https://${this.#host}/`;
    this.keys = new EmbeddedKeys(context, name);
    this.secrets = new EmbeddedSecrets(context, name);
    this.#use = new KeyUse(context, new HardwareKeys(context));
  }

  /** Makes the first or a further version of an RSA key. @throws KannukiError KNK-KVT-0008, 0020, 0021, 0026, 0042 */
  async createKey(name: string, options: CreateKeyOptions = {}): Promise<KeyInfo> {
    assertObjectName(name, 'keys');
    const { bits = 2048, hardware = false, operations = operationsOf.RSA } = options;
    if (!rsaKeySizes.includes(bits)) {
      const reason = `an RSA key has ${rsaKeySizes.join(', ')} bits`;
      throw new KannukiError('KNK-KVT-0008', { details: { what: `the key size ${String(bits)}`, reason } });
    }
    const always = { enabled: true, notBefore: null, expires: null };
    const shape = { kty: 'RSA', bits } as const;
    const terms = { retentionDays: 90, purgeProtection: false, premium: hardware };
    const spec = { ...always, shape, hardware, operations, tags: {} };
    const { version } = await this.keys.create(name, spec, terms);
    return this.keyInfo(`${this.vaultUri}keys/${name}/${version}`);
  }

  async keyInfo(keyId: string): Promise<KeyInfo> {
    return this.#infoOfKey(this.#row(keyId, 'keys'));
  }

  async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    const row = this.#usableKey(keyId, 'wrapKey');
    const wrapped = await this.#use.encrypt(row, 'wrapKey', algorithm, value);
    return { keyId: this.#id(row.fields), value: wrapped.value };
  }

  async unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    const row = this.#usableKey(keyId, 'unwrapKey');
    return (await this.#use.decrypt(row, 'unwrapKey', algorithm, wrapped)).value;
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
    const always = { enabled: true, notBefore: null, expires: null, updated: null };
    const text = secretAttributes.write({ ...always, contentType, tags });
    const now = this.#context.now();
    const of: ObjectName = { collection: 'secrets', vault: this.name, name };
    return { id: this.#id((await this.#context.changes.addVersion(of, { attributes: text, value, now })).fields) };
  }

  async getSecret(secretId: string): Promise<StoredSecret> {
    const row = this.#row(secretId, 'secrets');
    const info = this.#secretInfo(row);
    if (!info.enabled) throw new KannukiError('KNK-KVT-0004', { details: { object: info.id } });
    return { ...info, value: await this.#context.store.openValue(row) };
  }

  async disableSecret(name: string): Promise<void> {
    assertObjectName(name, 'secrets');
    const versions = this.secretVersions(name);
    if (versions.length === 0) throw notFound(`${this.vaultUri}secrets/${name}`);
    for (const { id, enabled } of versions) if (enabled) await this.setSecretEnabled(id, false);
  }

  /** The newest version of every key. */
  listKeys(): readonly KeyInfo[] {
    return this.#context.store.newestOfEach('keys', this.name).map((row) => this.#infoOfKey(row));
  }

  /** All versions of a key, oldest first. */
  keyVersions(name: string): readonly KeyInfo[] {
    return this.#context.store.versions('keys', this.name, name).map((row) => this.#infoOfKey(row));
  }

  /** The newest version of every secret, without values. */
  listSecrets(): readonly SecretInfo[] {
    return this.#context.store.newestOfEach('secrets', this.name).map((row) => this.#secretInfo(row));
  }

  /** Without value. @returns undefined where there is no live secret of that name */
  newestSecret(name: string): SecretInfo | undefined {
    const row = this.#context.store.find('secrets', this.name, name, null);
    return row === undefined ? undefined : this.#secretInfo(row);
  }

  /** All versions of a secret, oldest first, without values. */
  secretVersions(name: string): readonly SecretInfo[] {
    return this.#context.store.versions('secrets', this.name, name).map((row) => this.#secretInfo(row));
  }

  /** A disabled key neither wraps nor unwraps. Without version in the id: the newest. */
  async setKeyEnabled(keyId: string, enabled: boolean): Promise<void> {
    const { name, version } = this.#ownId(keyId, 'keys');
    await this.keys.update(name, version, { enabled });
  }

  /** The value of a disabled secret is not given out. Without version in the id: the newest. */
  async setSecretEnabled(secretId: string, enabled: boolean): Promise<void> {
    const { name, version } = this.#ownId(secretId, 'secrets');
    await this.secrets.update(name, version, { enabled });
  }

  #usableKey(keyId: string, call: 'wrapKey' | 'unwrapKey'): VersionRow {
    const row = this.#row(keyId, 'keys');
    const { enabled, operations } = readKey(row).attributes;
    const object = this.#id(row.fields);
    if (!enabled) throw new KannukiError('KNK-KVT-0004', { details: { object } });
    if (!operations.includes(call)) {
      throw new KannukiError('KNK-KVT-0002', { details: { vault: this.vaultUri, call, object } });
    }
    return row;
  }

  #row(id: string, collection: ObjectCollection): VersionRow {
    const { name, version } = this.#ownId(id, collection);
    const row = this.#context.store.find(collection, this.name, name, version);
    if (row === undefined) throw notFound(id);
    return row;
  }

  #ownId(id: string, collection: ObjectCollection): ObjectId {
    const parsed = requireObjectId(id, collection);
    if (hostName(parsed.host) !== hostName(this.#host)) throw notFound(id);
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
    const { enabled, contentType, tags } = secretAttributes.read(row.fields.attributes);
    return { id: this.#id(row.fields), enabled, contentType, tags };
  }

  #id({ collection, name, version }: VersionFields): string {
    return `https://${this.#host}/${collection}/${name}/${version}`;
  }
}

function notFound(id: string): KannukiError {
  return new KannukiError('KNK-KVT-0003', { details: { object: id.slice(0, 400) } });
}
