import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt, randomUUID } from 'node:crypto';
import { serveTls, type TestCertificates, type TestServer } from './tls-server.ts';

/** A token and the paths (as prefixes, below /v1/) that its policy allows. */
interface Policy {
  readonly paths: readonly string[];
}

interface Key {
  readonly type: string;
  readonly versions: readonly { readonly publicKey: KeyObject; readonly privateKey: KeyObject }[];
  minDecryption: number;
  minEncryption: number;
}

interface Entry {
  current: number;
  maxVersions: number;
  readonly versions: Map<number, { readonly data: unknown; destroyed: boolean; deleted: boolean }>;
}

type Reply = readonly [status: number, body?: unknown];
type Body = Readonly<Record<string, unknown>>;

const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const;
const defaultMaxVersions = 10;

/**
 * What a driver sees of OpenBao: transit with real RSA, KV version 2 with check-and-set and its ten versions, AppRole,
 * policies, namespaces, the sealed state. Shapes, status codes and the unkind parts (encrypt makes keys that are not
 * there, wrong padding is 500, old versions are destroyed) are those of OpenBao 2 as its documentation and source
 * (builtin/logical/transit, builtin/logical/kv) have them. It is no OpenBao.
 */
export class OpenBaoServer implements AsyncDisposable {
  readonly requests: { readonly method: string; readonly path: string; readonly body: string }[] = [];
  sealed = false;
  /** Of the KV mount; a duration such as `1h`. */
  deleteVersionAfter = '';
  namespace: string | undefined;
  /** Runs before a write to KV is judged: a chance for another writer. */
  beforeWrite: (() => void) | undefined;
  /** Answers in the place of everything else. */
  instead: Reply | undefined;
  readonly roles = new Map<string, { readonly secretId: string; readonly policy: Policy; readonly seconds: number }>();
  readonly #tokens = new Map<string, Policy>();
  readonly #keys = new Map<string, Key>();
  readonly #entries = new Map<string, Entry>();
  #server: TestServer | undefined;

  static async start(certificates: TestCertificates): Promise<OpenBaoServer> {
    const fake = new OpenBaoServer();
    fake.#server = await serveTls(
      certificates,
      async (request, body, response) => {
        const [status, answer] = fake.#handle(
          request.method ?? '',
          request.url ?? '',
          request.headers,
          body.toString(),
        );
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(answer === undefined ? '' : typeof answer === 'string' ? answer : JSON.stringify(answer));
      },
      { requestCert: false },
    );
    return fake;
  }

  /** `localhost:PORT`. */
  get host(): string {
    return new URL(this.#server?.url ?? '').host;
  }

  allow(token: string, ...paths: readonly string[]): void {
    this.#tokens.set(token, { paths });
  }

  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Makes a key or its next version. @returns the number of the version */
  rotate(name: string, type = 'rsa-2048'): number {
    const bits = Number(/^rsa-(\d+)$/.exec(type)?.[1] ?? 2048);
    const key = this.#keys.get(name) ?? { type, versions: [], minDecryption: 1, minEncryption: 0 };
    const versions = [...key.versions, generateKeyPairSync('rsa', { modulusLength: bits })];
    this.#keys.set(name, { ...key, versions });
    return versions.length;
  }

  configure(name: string, change: { readonly minDecryption?: number; readonly minEncryption?: number }): void {
    Object.assign(this.#keys.get(name) ?? {}, change);
  }

  keyNames(): readonly string[] {
    return [...this.#keys.keys()];
  }

  entry(path: string): Entry | undefined {
    return this.#entries.get(path);
  }

  /** What another program does: a write without check-and-set. */
  write(path: string, data: unknown): number {
    const entry = this.#entries.get(path) ?? { current: 0, maxVersions: 0, versions: new Map() };
    entry.current += 1;
    entry.versions.set(entry.current, { data, destroyed: false, deleted: false });
    entry.versions.delete(entry.current - (entry.maxVersions === 0 ? defaultMaxVersions : entry.maxVersions));
    this.#entries.set(path, entry);
    return entry.current;
  }

  /** What `bao kv undelete` does. */
  undelete(path: string, number: number): void {
    const version = this.#entries.get(path)?.versions.get(number);
    if (version !== undefined) version.deleted = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }

  #handle(method: string, target: string, headers: NodeJS.Dict<string | string[]>, text: string): Reply {
    const url = new URL(target, 'https://localhost');
    const path = url.pathname.replace(/^\/v1\//, '');
    this.requests.push({ method, path, body: text });
    if (this.instead !== undefined) return this.instead;
    if (this.sealed) return [503, { errors: ['Vault is sealed'] }];
    if (headers['x-vault-request'] !== 'true') return [412, { errors: ['missing X-Vault-Request'] }];
    if ((headers['x-vault-namespace'] ?? '') !== (this.namespace ?? ''))
      return [404, { errors: ['no handler for route'] }];
    const body = (text === '' ? {} : JSON.parse(text)) as Body;
    if (method === 'POST' && path === 'auth/approle/login') return this.#login(body);
    const policy = this.#tokens.get(String(headers['x-vault-token']));
    if (policy?.paths.some((allowed) => path.startsWith(allowed)) !== true)
      return [403, { errors: ['permission denied'] }];
    const [, mount, part, name = ''] = /^([^/]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
    switch (`${method} ${mount}/${part}`) {
      case 'GET transit/keys':
        return this.#readKey(name);
      case 'POST transit/encrypt':
        return this.#encrypt(name, body, policy);
      case 'POST transit/decrypt':
        return this.#decrypt(name, body);
      case 'GET secret/metadata':
        return this.#readMetadata(name);
      case 'POST secret/metadata':
        return this.#writeMetadata(name, body);
      case 'POST secret/delete':
        return this.#deleteVersions(name, body);
      case 'GET secret/data':
        return this.#readData(name, url.searchParams.get('version'));
      case 'POST secret/data':
        return this.#writeData(name, body);
      default:
        return [404, { errors: [`no handler for route "${path}". route entry not found.`] }];
    }
  }

  #login(body: Body): Reply {
    const role = this.roles.get(String(body.role_id));
    if (role === undefined || role.secretId !== body.secret_id) return [400, { errors: ['invalid role or secret ID'] }];
    const token = `hvs.${randomUUID()}`;
    this.#tokens.set(token, role.policy);
    return [200, { auth: { client_token: token, lease_duration: role.seconds, renewable: true }, data: null }];
  }

  #readKey(name: string): Reply {
    const key = this.#keys.get(name);
    if (key === undefined) return [404, { errors: [] }];
    const keys = Object.fromEntries(
      key.versions.flatMap(({ publicKey }, at) =>
        at + 1 < key.minDecryption
          ? []
          : [[`${at + 1}`, { public_key: publicKey.export({ type: 'spki', format: 'pem' }), name: key.type }]],
      ),
    );
    const data = {
      name,
      type: key.type,
      keys,
      latest_version: key.versions.length,
      min_available_version: 0,
      min_decryption_version: key.minDecryption,
      min_encryption_version: key.minEncryption,
      deletion_allowed: false,
      exportable: false,
      supports_encryption: true,
      supports_decryption: true,
    };
    return [200, { request_id: randomUUID(), data, warnings: null }];
  }

  #encrypt(name: string, body: Body, policy: Policy): Reply {
    const key = this.#keys.get(name);
    if (key === undefined) {
      if (!policy.paths.includes('transit/')) return [403, { errors: ['permission denied'] }];
      // With the right to create, encrypt makes a key of its default type.
      this.rotate(name, 'aes256-gcm96');
      return [200, { data: { ciphertext: 'vault:v1:AAAA', key_version: 1 } }];
    }
    const version =
      typeof body.key_version === 'number' && body.key_version > 0 ? body.key_version : key.versions.length;
    const pair = key.versions[version - 1];
    if (pair === undefined)
      return [400, { errors: ['requested version for encryption is higher than the latest key version'] }];
    if (version < key.minEncryption)
      return [400, { errors: ['requested version for encryption is less than the minimum encryption key version'] }];
    if (typeof body.plaintext !== 'string') return [400, { errors: ['missing plaintext'] }];
    if (body.associated_data !== undefined)
      return [400, { errors: ["'[0].associated_data' provided for non-AEAD cipher suite"] }];
    try {
      const value = publicEncrypt({ key: pair.publicKey, ...oaep }, Buffer.from(body.plaintext, 'base64'));
      return [200, { data: { ciphertext: `vault:v${version}:${value.toString('base64')}`, key_version: version } }];
    } catch {
      return [500, { errors: ['1 error occurred:\n\t* failed to RSA encrypt the plaintext'] }];
    }
  }

  #decrypt(name: string, body: Body): Reply {
    const key = this.#keys.get(name);
    if (key === undefined) return [400, { errors: ['encryption key not found'] }];
    const [, number, encoded] = /^vault:v(\d+):(.*)$/.exec(String(body.ciphertext)) ?? [];
    if (number === undefined || encoded === undefined) return [400, { errors: ['invalid ciphertext: no prefix'] }];
    const version = Number(number);
    if (version > key.versions.length) return [400, { errors: ['invalid ciphertext: version is too new'] }];
    if (version < key.minDecryption)
      return [400, { errors: ['ciphertext or signature version is disallowed by policy (too old)'] }];
    const pair = key.versions[version - 1];
    if (pair === undefined) return [400, { errors: ['no such key version'] }];
    try {
      const value = privateDecrypt({ key: pair.privateKey, ...oaep }, Buffer.from(encoded, 'base64'));
      return [200, { data: { plaintext: value.toString('base64') }, warnings: null }];
    } catch {
      return [
        500,
        { errors: ['1 error occurred:\n\t* failed to RSA decrypt the ciphertext: crypto/rsa: decryption error\n\n'] },
      ];
    }
  }

  #readMetadata(path: string): Reply {
    const entry = this.#entries.get(path);
    if (entry === undefined) return [404, { errors: [] }];
    const oldest = Math.min(...entry.versions.keys(), entry.current);
    const data = {
      cas_required: true,
      current_version: entry.current,
      delete_version_after: '0s',
      max_versions: entry.maxVersions,
      oldest_version: oldest === 1 ? 0 : oldest,
      versions: {},
    };
    return [200, { data }];
  }

  #writeMetadata(path: string, body: Body): Reply {
    const entry = this.#entries.get(path) ?? { current: 0, maxVersions: 0, versions: new Map() };
    if (typeof body.max_versions === 'number') entry.maxVersions = body.max_versions;
    this.#entries.set(path, entry);
    return [204];
  }

  #deleteVersions(path: string, body: Body): Reply {
    const { versions } = body as { versions?: unknown };
    if (!Array.isArray(versions) || versions.length === 0) return [400, { errors: ['no version number provided'] }];
    for (const number of versions) {
      const version = this.#entries.get(path)?.versions.get(Number(number));
      if (version !== undefined) version.deleted = true;
    }
    return [204];
  }

  #readData(path: string, wanted: string | null): Reply {
    const entry = this.#entries.get(path);
    const number = wanted === null || wanted === '0' ? (entry?.current ?? 0) : Number(wanted);
    const version = entry?.versions.get(number);
    if (version === undefined) return [404, { errors: [] }];
    const gone = version.destroyed || version.deleted;
    const metadata = {
      version: number,
      destroyed: version.destroyed,
      deletion_time: gone ? '2026-01-01T00:00:00Z' : '',
    };
    return gone ? [404, { data: { data: null, metadata } }] : [200, { data: { data: version.data, metadata } }];
  }

  #writeData(path: string, body: Body): Reply {
    this.beforeWrite?.();
    const { data, options } = body as { data?: unknown; options?: { cas?: unknown } };
    if (data === undefined) return [400, { errors: ['no data provided'] }];
    if (options?.cas === undefined) return [400, { errors: ['check-and-set parameter required for this call'] }];
    if (options.cas !== (this.#entries.get(path)?.current ?? 0)) {
      return [400, { errors: ['check-and-set parameter did not match the current version'] }];
    }
    const version = this.write(path, data);
    const end = this.deleteVersionAfter === '' ? '' : '2027-01-01T00:00:00Z';
    return [200, { data: { version, created_time: '2026-01-01T00:00:00Z', deletion_time: end, destroyed: false } }];
  }
}
