import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { type ErrorCode, KannukiError, SecretBytes } from '@kannuki/core';
import type { KeyShape } from '../service/key-module.ts';
import type {
  CurveName,
  Deletion,
  KeyVersion,
  Page,
  PageRequest,
  PublicJwk,
  RotationPolicy,
  SecretVersion,
} from '../service/model.ts';
import type { VaultKeys, VaultObjects, VaultSecrets, VaultTerms } from '../service/vault-objects.ts';

/** The objects of one vault in memory, for tests of what lies above them. Not a vault: nothing is sealed or durable. */
export class MemoryObjects implements VaultObjects {
  readonly keys: VaultKeys;
  readonly secrets: VaultSecrets;
  /** How often anything was looked for. */
  lookups = 0;

  constructor(now: () => number) {
    const seconds = (): number => Math.floor(now() / 1000);
    const looked = (): void => {
      this.lookups += 1;
    };
    this.keys = memoryKeys(new Shelf<KeyVersion & { privateKey: KeyObject }>('keys', seconds, looked), seconds);
    this.secrets = memorySecrets(new Shelf<SecretVersion & { bytes: Uint8Array }>('secrets', seconds, looked), seconds);
  }
}

type Entry = SecretVersion | KeyVersion;

class Shelf<Item extends Entry> {
  readonly collection: string;
  readonly #now: () => number;
  readonly #looked: () => void;
  readonly #objects = new Map<string, { versions: Item[]; deletion: Deletion | null }>();

  constructor(collection: string, now: () => number, looked: () => void) {
    this.collection = collection;
    this.#now = now;
    this.#looked = looked;
  }

  add(item: Item): Item {
    const held = this.#find(item.name);
    if (held?.deletion) throw this.error('KNK-KVT-0021', item.name, 'a deleted object has this name');
    this.#objects.set(item.name.toLowerCase(), { versions: [...(held?.versions ?? []), item], deletion: null });
    return item;
  }

  assertFree(name: string): void {
    const held = this.#find(name);
    if (held === undefined) return;
    throw this.error('KNK-KVT-0021', name, held.deletion ? 'a deleted object has this name' : 'it exists');
  }

  versions(name: string): Item[] {
    const held = this.#find(name);
    if (held === undefined || held.deletion !== null) throw this.error('KNK-KVT-0003', name);
    return held.versions;
  }

  get(name: string, version: string | null): Item {
    const versions = this.versions(name);
    const found = version === null ? versions.at(-1) : versions.find((item) => item.version === version);
    if (found === undefined) throw this.error('KNK-KVT-0003', name);
    return found;
  }

  replace(old: Item, change: object): Item {
    const versions = this.versions(old.name);
    const item = { ...old, ...change, updated: this.#now() };
    versions.splice(versions.indexOf(old), 1, item);
    return item;
  }

  delete(name: string, terms: VaultTerms): Item & Deletion {
    const item = this.get(name, null);
    const deletedDate = this.#now();
    const deletion = { deletedDate, scheduledPurgeDate: deletedDate + terms.retentionDays * 86_400 };
    const held = this.#find(name);
    if (held !== undefined) held.deletion = deletion;
    return { ...item, ...deletion };
  }

  deleted(name: string): Item & Deletion {
    const held = this.#find(name);
    const item = held?.versions.at(-1);
    if (!held?.deletion || item === undefined) throw this.error('KNK-KVT-0003', name);
    return { ...item, ...held.deletion };
  }

  recover(name: string): Item {
    this.deleted(name);
    const held = this.#find(name);
    if (held !== undefined) held.deletion = null;
    return this.get(name, null);
  }

  purge(name: string, terms: VaultTerms): void {
    this.deleted(name);
    if (terms.purgeProtection) throw this.error('KNK-KVT-0025', name, 'purge protection');
    this.#objects.delete(name.toLowerCase());
  }

  list(page: PageRequest, isDeleted: boolean): Page<Item & Deletion> {
    this.#looked();
    const items = [...this.#objects.values()]
      .filter((held) => (held.deletion !== null) === isDeleted)
      .map((held) => ({ ...(held.versions.at(-1) as Item), ...(held.deletion as Deletion) }));
    return pageOf(items, page);
  }

  error(code: ErrorCode, name: string, reason = ''): KannukiError {
    return new KannukiError(code, { details: { object: `${this.collection}/${name}`, reason, date: '' } });
  }

  #find(name: string): { versions: Item[]; deletion: Deletion | null } | undefined {
    this.#looked();
    return this.#objects.get(name.toLowerCase());
  }
}

function pageOf<Item>(items: readonly Item[], { limit, after }: PageRequest): Page<Item> {
  const start = after === null ? 0 : Number(after);
  if (!Number.isInteger(start)) throw new KannukiError('KNK-KVT-0022', { details: { what: 'the page', reason: 'x' } });
  return { items: items.slice(start, start + limit), next: start + limit < items.length ? `${start + limit}` : null };
}

function memoryKeys(shelf: Shelf<KeyVersion & { privateKey: KeyObject }>, now: () => number): VaultKeys {
  let policy: RotationPolicy | undefined;
  const made = (
    name: string,
    privateKey: KeyObject,
    spec: Pick<KeyVersion, 'enabled' | 'notBefore' | 'expires' | 'tags'> & {
      operations: readonly string[] | null;
      hardware: boolean;
    },
  ) => {
    const publicKey = publicJwk(privateKey);
    return shelf.add({
      name,
      version: randomBytes(16).toString('hex'),
      kind: `${publicKey.kty}${spec.hardware ? '-HSM' : ''}`,
      bits: privateKey.asymmetricKeyDetails?.modulusLength ?? 256,
      publicKey,
      operations: spec.operations ?? ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
      enabled: spec.enabled,
      notBefore: spec.notBefore,
      expires: spec.expires,
      tags: spec.tags,
      created: now(),
      updated: now(),
      privateKey,
    });
  };
  const usable = (name: string, version: string | null, operation: string) => {
    const key = shelf.get(name, version);
    if (!key.enabled) throw shelf.error('KNK-KVT-0004', name);
    if (!key.operations.includes(operation)) throw shelf.error('KNK-KVT-0023', name);
    if (key.expires !== null && key.expires < now()) throw shelf.error('KNK-KVT-0024', name, 'it expired');
    if (key.notBefore !== null && key.notBefore > now()) throw shelf.error('KNK-KVT-0024', name, 'not yet');
    return key;
  };
  const backups = new Map<string, readonly (KeyVersion & { privateKey: KeyObject })[]>();
  return {
    create: async (name, spec) => made(name, generated(spec.shape), spec),
    import: async (name, spec) =>
      made(name, createPrivateKey({ key: Buffer.from(spec.privateKey.bytes), format: 'der', type: 'pkcs8' }), spec),
    get: async (name, version) => shelf.get(name, version),
    list: async (page) => shelf.list(page, false),
    versions: async (name, page) => pageOf(shelf.versions(name), page),
    update: async (name, version, change) => shelf.replace(shelf.get(name, version), change),
    delete: async (name, terms) => shelf.delete(name, terms),
    getDeleted: async (name) => shelf.deleted(name),
    listDeleted: async (page) => shelf.list(page, true),
    recover: async (name) => shelf.recover(name),
    purge: async (name, terms) => shelf.purge(name, terms),
    backup: async (name) => {
      const id = randomBytes(24);
      backups.set(id.toString('hex'), shelf.versions(name));
      return id;
    },
    restore: async (backup) => {
      const versions = backups.get(Buffer.from(backup).toString('hex'));
      if (versions === undefined) throw shelf.error('KNK-KVT-0029', '', 'it is not one of ours');
      shelf.assertFree(versions[0]?.name ?? '');
      for (const version of versions) shelf.add(version);
      return shelf.get(versions[0]?.name ?? '', null);
    },
    rotate: async (name) => {
      const old = shelf.get(name, null);
      return made(name, generated({ kty: 'RSA', bits: 2048 }), { ...old, hardware: false });
    },
    rotationPolicy: async (name) => {
      shelf.get(name, null);
      return policy ?? { lifetimeActions: [], expiryTime: null, created: now(), updated: now() };
    },
    setRotationPolicy: async (name, wanted) => {
      shelf.get(name, null);
      policy = { ...wanted, created: now(), updated: now() };
      return policy;
    },
    encrypt: async (name, version, operation, _algorithm, plain) => {
      const key = usable(name, version, operation);
      return { key, value: publicEncrypt(createPublicKey(key.privateKey), plain.bytes) };
    },
    decrypt: async (name, version, operation, algorithm, ciphertext) => {
      const key = usable(name, version, operation);
      try {
        return { key, value: SecretBytes.take(privateDecrypt(key.privateKey, ciphertext)) };
      } catch {
        throw new KannukiError('KNK-KVT-0018', { details: { key: name, call: operation, algorithm } });
      }
    },
    sign: async (name, version, _algorithm, digest) => {
      const key = usable(name, version, 'sign');
      return { key, value: sign('sha256', digest, key.privateKey) };
    },
    verify: async (name, version, _algorithm, digest, signature) => {
      const key = usable(name, version, 'verify');
      return { key, value: verify('sha256', digest, createPublicKey(key.privateKey), signature) };
    },
  };
}

function memorySecrets(shelf: Shelf<SecretVersion & { bytes: Uint8Array }>, now: () => number): VaultSecrets {
  const backups = new Map<string, readonly (SecretVersion & { bytes: Uint8Array })[]>();
  return {
    set: async (name, { value, ...spec }) =>
      shelf.add({
        ...spec,
        name,
        version: createHash('md5').update(randomBytes(8)).digest('hex'),
        bytes: Uint8Array.from(value.bytes),
        created: now(),
        updated: now(),
      }),
    get: async (name, version) => {
      const secret = shelf.get(name, version);
      if (!secret.enabled) throw shelf.error('KNK-KVT-0004', name);
      return { ...secret, value: SecretBytes.copy(secret.bytes) };
    },
    list: async (page) => shelf.list(page, false),
    versions: async (name, page) => pageOf(shelf.versions(name), page),
    update: async (name, version, change) => shelf.replace(shelf.get(name, version), change),
    delete: async (name, terms) => shelf.delete(name, terms),
    getDeleted: async (name) => shelf.deleted(name),
    listDeleted: async (page) => shelf.list(page, true),
    recover: async (name) => shelf.recover(name),
    purge: async (name, terms) => shelf.purge(name, terms),
    backup: async (name) => {
      const id = randomBytes(24);
      backups.set(id.toString('hex'), shelf.versions(name));
      return id;
    },
    restore: async (backup) => {
      const versions = backups.get(Buffer.from(backup).toString('hex'));
      if (versions === undefined) throw shelf.error('KNK-KVT-0029', '', 'it is not one of ours');
      shelf.assertFree(versions[0]?.name ?? '');
      for (const version of versions) shelf.add(version);
      return shelf.get(versions[0]?.name ?? '', null);
    },
  };
}

const nodeCurves: Readonly<Record<CurveName, string>> = {
  'P-256': 'P-256',
  'P-384': 'P-384',
  'P-521': 'P-521',
  'P-256K': 'secp256k1',
};
const keyPairs = new Map<string, KeyObject>();

/** One pair for each shape: generating is slow and not under test. */
function generated(shape: KeyShape): KeyObject {
  const id = JSON.stringify(shape);
  const known = keyPairs.get(id);
  if (known !== undefined) return known;
  const { privateKey } =
    shape.kty === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: shape.bits })
      : generateKeyPairSync('ec', { namedCurve: nodeCurves[shape.crv] });
  keyPairs.set(id, privateKey);
  return privateKey;
}

function publicJwk(key: KeyObject): PublicJwk {
  const { kty, n = '', e = '', crv = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  if (kty === 'RSA') return { kty, n, e };
  return { kty: 'EC', crv: (crv === 'secp256k1' ? 'P-256K' : crv) as CurveName, x, y };
}
