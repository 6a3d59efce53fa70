import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { assertObjectName, type ObjectCollection, type ObjectId, requireObjectId } from '../object-id.ts';
import type {
  KeyInfo,
  KeyKind,
  SecretAttributes,
  StoredSecret,
  VaultPort,
  WrapAlgorithm,
  WrappedKey,
} from '../port.ts';
import { vaultUnreachable } from '../remote/bounded-request.ts';
import { nullableTextField, textField, textMapField } from '../remote/fields.ts';
import { assertStorable, notStorable } from '../storable.ts';
import type { OpenBaoAddress } from './address.ts';
import { type BaoAnswer, BaoConnection, type OpenBaoTimeouts, type Purpose } from './bao-connection.ts';
import { decodedBase64, encodeWithSecret, memberAt, secretPlace } from './bao-json.ts';
import { idOf, versionNumber } from './version-id.ts';

/** What transit does with RSA keys: OAEP with SHA-256 for the hash and for MGF1, which RFC 7518 calls RSA-OAEP-256. */
const transitAlgorithm: WrapAlgorithm = 'RSA-OAEP-256';

/** Transit's types that the port has a kind for. */
const keyTypes: Readonly<Record<string, { readonly kind: KeyKind; readonly bits: number }>> = {
  'rsa-2048': { kind: 'RSA', bits: 2048 },
  'rsa-3072': { kind: 'RSA', bits: 3072 },
  'rsa-4096': { kind: 'RSA', bits: 4096 },
  'ecdsa-p256': { kind: 'EC', bits: 256 },
  'ecdsa-p384': { kind: 'EC', bits: 384 },
  'ecdsa-p521': { kind: 'EC', bits: 521 },
};

/**
 * Versions that KV keeps of a secret before it destroys the oldest. The default of KV is ten, and the eleventh set would
 * take the passphrase of a disk with it; so the limit is raised before the first version is written.
 */
const keptVersions = 1000;
const casAttempts = 10;

interface TransitKey extends KeyInfo {
  readonly name: string;
  readonly version: number;
}

interface KvState {
  readonly current: number;
  readonly oldest: number;
  readonly kept: number;
}

/**
 * OpenBao or HashiCorp Vault as a vault: RSA keys of the transit engine are the KEKs (they never leave it), KV version 2
 * holds the secrets. Every write is check-and-set, so two writers never take each other's version.
 */
export class OpenBaoVault implements VaultPort, Disposable {
  readonly vaultUri: string;
  readonly wrapAlgorithms = [transitAlgorithm] as const;
  readonly #connection: BaoConnection;
  readonly #address: OpenBaoAddress;
  /** The last set of each secret that is under way: sets of one name wait for each other instead of colliding. */
  readonly #sets = new Map<string, Promise<unknown>>();

  constructor(address: OpenBaoAddress, timeouts: OpenBaoTimeouts = {}) {
    this.#address = address;
    this.#connection = new BaoConnection(address, timeouts);
    this.vaultUri = this.#connection.vaultUri;
  }

  async keyInfo(keyId: string): Promise<KeyInfo> {
    const { id, kind, bits, enabled, operations } = await this.#key(this.#connection.purpose('keyInfo', keyId), keyId);
    return { id, kind, bits, enabled, operations };
  }

  async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    assertTransitAlgorithm(algorithm);
    const purpose = this.#connection.purpose('wrapKey', keyId);
    // Asked first, because encrypt makes a symmetric key of that name where there is none and the token may create.
    const key = await this.#key(purpose, keyId);
    if (!key.enabled) throw new KannukiError('KNK-KVT-0004', { details: { object: key.id } });
    if (!key.operations.includes('wrapKey')) throw this.#connection.failure({ ...purpose, object: key.id }, 403);
    const unfit = new KannukiError('KNK-KVT-0018', { details: { key: key.id, call: 'wrapKey', algorithm } });
    if (value.length > key.bits / 8 - 66) throw unfit;
    using body = encodeWithSecret({ plaintext: secretPlace, key_version: key.version }, value, 'base64');
    const path = `${this.#address.transitMount}/encrypt/${key.name}`;
    const { status, rest } = await this.#connection.send(purpose, { method: 'POST', path, body });
    if (status === 400 || status === 500) throw unfit;
    if (status !== 200) throw this.#connection.failure(purpose, status);
    const [, version, encoded] =
      /^vault:v(\d{1,15}):([A-Za-z0-9+/]{1,1400}={0,2})$/.exec(textOf(rest, 'ciphertext')) ?? [];
    const ciphertext = Buffer.from(encoded ?? '', 'base64');
    if (Number(version) !== key.version || ciphertext.length !== key.bits / 8) {
      throw this.#connection.senseless('it is no ciphertext of that version of the key');
    }
    return { keyId: key.id, value: Uint8Array.from(ciphertext) };
  }

  async unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    assertTransitAlgorithm(algorithm);
    const purpose = this.#connection.purpose('unwrapKey', keyId);
    const { name, version: digits } = this.#ownId(keyId, 'keys');
    // A boot needs one call and the right to decrypt, no more; only where it fails is the key looked at for the reason.
    const version = digits === null ? (await this.#usable(purpose, keyId)).version : this.#number(digits, keyId);
    const unfit = new KannukiError('KNK-KVT-0018', {
      details: { key: idOf(this.#address.host, 'keys', name, version), call: 'unwrapKey', algorithm },
    });
    if (wrapped.length === 0 || wrapped.length > 1024) {
      await this.#usable(purpose, keyId);
      throw unfit;
    }
    using body = plainBody({ ciphertext: `vault:v${version}:${Buffer.from(wrapped).toString('base64')}` });
    const path = `${this.#address.transitMount}/decrypt/${name}`;
    const secretAt = ['data', 'plaintext'];
    const { status, secret } = await this.#connection.send(purpose, { method: 'POST', path, body, secretAt });
    using encoded = secret;
    // Transit answers 400 for a wrong shape and 500 for wrong padding: both are one error here, or they were an oracle.
    if (status === 400 || status === 404 || status === 500) {
      await this.#usable(purpose, keyId);
      throw unfit;
    }
    const plaintext = encoded === undefined ? undefined : decodedBase64(encoded);
    if (status !== 200 || plaintext === undefined) throw this.#connection.senseless('it has no plaintext in base64');
    return plaintext;
  }

  async setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    assertStorable(name, value, attributes);
    const stored = name.toLowerCase();
    const purpose = this.#connection.purpose('setSecret', `secret ${stored}`);
    const before = this.#sets.get(stored) ?? Promise.resolve();
    const set = before.then(() => this.#setSecret(purpose, stored, value, attributes));
    const settled = set.catch(() => undefined);
    this.#sets.set(stored, settled);
    try {
      return await set;
    } finally {
      if (this.#sets.get(stored) === settled) this.#sets.delete(stored);
    }
  }

  async getSecret(secretId: string): Promise<StoredSecret> {
    const purpose = this.#connection.purpose('getSecret', secretId);
    const { name, version } = this.#ownId(secretId, 'secrets');
    const wanted = version === null ? null : this.#number(version, secretId);
    const path = `${this.#kvPath('data', name)}${wanted === null ? '' : `?version=${wanted}`}`;
    const secretAt = ['data', 'data', 'value'];
    const { status, rest, secret } = await this.#connection.send(purpose, { method: 'GET', path, secretAt });
    using encoded = secret;
    if (status !== 200) throw this.#connection.failure(purpose, status);
    const found = memberAt(rest, ['data', 'metadata', 'version']);
    const data = memberAt(rest, ['data', 'data']) as Readonly<Record<string, unknown>> | null | undefined;
    if (!isVersion(found) || (wanted !== null && found !== wanted)) {
      throw this.#connection.senseless('it is another version than the one that was asked for');
    }
    const contentType = nullableTextField(data ?? {}, 'contentType');
    const tags = textMapField(data ?? {}, 'tags');
    if (data?.encoding !== 'base64' || encoded === undefined || contentType === undefined || tags === undefined) {
      throw this.#connection.senseless('the secret was not stored by this program');
    }
    const value = decodedBase64(encoded);
    if (value === undefined) throw this.#connection.senseless('the value of the secret is not base64');
    const id = idOf(this.#address.host, 'secrets', name.toLowerCase(), found);
    // KV has no disabled versions: one that was deleted is not found until it is undeleted.
    return { id, enabled: true, contentType, tags, value };
  }

  /** KV has no disabled versions: all are deleted, which destroys nothing; `bao kv undelete` brings them back. */
  async disableSecret(name: string): Promise<void> {
    assertObjectName(name, 'secrets');
    const stored = name.toLowerCase();
    const purpose = this.#connection.purpose('disableSecret', `secret ${stored}`);
    const state = await this.#kvState(purpose, stored);
    if (state === undefined) throw notFound(purpose.object);
    const { current, oldest } = state;
    const first = Math.max(oldest, 1);
    const versions = Array.from({ length: current - first + 1 }, (_, index) => String(first + index));
    using body = plainBody({ versions });
    const request = { method: 'POST', path: this.#kvPath('delete', stored), body } as const;
    const { status } = await this.#connection.send(purpose, request);
    if (status !== 200 && status !== 204) throw this.#connection.failure(purpose, status);
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  async #setSecret(
    purpose: Purpose,
    name: string,
    value: SecretBytes,
    { contentType, tags }: SecretAttributes,
  ): Promise<{ readonly id: string }> {
    for (let attempt = 1; ; attempt += 1) {
      const { current, oldest, kept } = await this.#makeRoom(purpose, name);
      if (current - Math.max(oldest, 1) + 1 >= kept) {
        throw notStorable(name, `it has ${kept} versions, and a further one would destroy the oldest`);
      }
      const data = { encoding: 'base64', value: secretPlace, contentType, tags };
      using body = encodeWithSecret({ data, options: { cas: current } }, value, 'base64');
      const path = this.#kvPath('data', name);
      const { status, rest } = await this.#connection.send(purpose, { method: 'POST', path, body });
      if (status === 200) return { id: this.#written(name, current, rest) };
      // 400 is what a lost race looks like; the state of the secret tells whether it was one.
      const lost = status === 400 && (await this.#kvState(purpose, name))?.current !== current;
      if (!lost) throw this.#connection.failure(purpose, status);
      if (attempt === casAttempts) throw vaultUnreachable(this.vaultUri, 'others write the same secret all the time');
      await sleep(randomInt(5, 10 + 10 * attempt));
    }
  }

  #written(name: string, before: number, rest: Readonly<Record<string, unknown>>): string {
    const version = memberAt(rest, ['data', 'version']);
    if (!isVersion(version) || version <= before) throw this.#connection.senseless('it names no new version');
    const end = memberAt(rest, ['data', 'deletion_time']);
    if (typeof end === 'string' && end !== '') {
      throw notStorable(name, `the vault would delete it on ${end.slice(0, 30)} (delete_version_after of the mount)`);
    }
    return idOf(this.#address.host, 'secrets', name, version);
  }

  /** Sees to it that KV keeps the versions of a secret. */
  async #makeRoom(purpose: Purpose, name: string): Promise<KvState> {
    const state = await this.#kvState(purpose, name);
    if (state !== undefined && state.kept >= keptVersions) return state;
    using body = plainBody({ max_versions: keptVersions });
    const request = { method: 'POST', path: this.#kvPath('metadata', name), body } as const;
    const { status } = await this.#connection.send(purpose, request);
    if (status !== 200 && status !== 204) throw this.#connection.failure(purpose, status);
    return { current: state?.current ?? 0, oldest: state?.oldest ?? 0, kept: keptVersions };
  }

  async #kvState(purpose: Purpose, name: string): Promise<KvState | undefined> {
    const request = { method: 'GET', path: this.#kvPath('metadata', name) } as const;
    const { status, rest } = await this.#connection.send(purpose, request);
    if (status === 404) return undefined;
    if (status !== 200) throw this.#connection.failure(purpose, status);
    const [current, oldest, kept] = ['current_version', 'oldest_version', 'max_versions'].map((member) =>
      memberAt(rest, ['data', member]),
    );
    if (!isCount(current) || !isCount(oldest) || !isCount(kept)) {
      throw this.#connection.senseless('a number of the secret is missing');
    }
    return { current, oldest, kept };
  }

  async #usable(purpose: Purpose, keyId: string): Promise<TransitKey> {
    const key = await this.#key(purpose, keyId);
    if (!key.enabled) throw new KannukiError('KNK-KVT-0004', { details: { object: key.id } });
    return key;
  }

  async #key(purpose: Purpose, keyId: string): Promise<TransitKey> {
    const { name, version: digits } = this.#ownId(keyId, 'keys');
    const request = { method: 'GET', path: `${this.#address.transitMount}/keys/${name}` } as const;
    const answer = await this.#connection.send(purpose, request);
    if (answer.status !== 200) throw this.#connection.failure(purpose, answer.status);
    const numbers = ['latest_version', 'min_available_version', 'min_decryption_version', 'min_encryption_version'];
    const [latest, available, decryption, encryption] = numbers.map((member) =>
      memberAt(answer.rest, ['data', member]),
    );
    if (!isVersion(latest) || !isCount(available) || !isCount(decryption) || !isCount(encryption)) {
      throw this.#connection.senseless('a number of the key is missing');
    }
    const version = digits === null ? latest : this.#number(digits, keyId);
    if (version > latest || version < available) throw notFound(keyId);
    const type = textOf(answer.rest, 'type');
    const known = Object.hasOwn(keyTypes, type) ? keyTypes[type] : undefined;
    if (known === undefined) {
      const details = {
        what: `a key of the type ${type.slice(0, 40)}`,
        reason: 'it is neither RSA nor of a NIST curve',
      };
      throw new KannukiError('KNK-KVT-0026', { details });
    }
    const isRsa = known.kind === 'RSA';
    const operations = [...(isRsa && version >= encryption ? ['wrapKey'] : []), ...(isRsa ? ['unwrapKey'] : [])];
    const enabled = version >= decryption && memberAt(answer.rest, ['data', 'soft_deleted']) !== true;
    return { ...known, id: idOf(this.#address.host, 'keys', name, version), name, version, enabled, operations };
  }

  #ownId(id: string, collection: ObjectCollection): ObjectId {
    const parsed = requireObjectId(id, collection);
    if (parsed.host !== this.#address.host) throw notFound(id);
    return parsed;
  }

  #number(digits: string, id: string): number {
    const version = versionNumber(digits);
    if (version === undefined) throw notFound(id);
    return version;
  }

  #kvPath(part: 'data' | 'metadata' | 'delete', name: string): string {
    const { kvMount, folder } = this.#address;
    return `${kvMount}/${part}/${folder === '' ? '' : `${folder}/`}${name.toLowerCase()}`;
  }
}

function textOf(rest: BaoAnswer['rest'], member: string): string {
  const data = memberAt(rest, ['data']);
  return textField((data ?? {}) as Readonly<Record<string, unknown>>, member) ?? '';
}

function plainBody(body: object): SecretBytes {
  return SecretBytes.take(Buffer.from(JSON.stringify(body), 'utf8'));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isVersion(value: unknown): value is number {
  return isCount(value) && value > 0;
}

function assertTransitAlgorithm(algorithm: WrapAlgorithm): void {
  if (algorithm === transitAlgorithm) return;
  const details = { what: `wrapping with ${algorithm}`, reason: `the transit engine has ${transitAlgorithm} only` };
  throw new KannukiError('KNK-KVT-0026', { details });
}

function notFound(id: string): KannukiError {
  return new KannukiError('KNK-KVT-0003', { details: { object: id.slice(0, 400) } });
}
