import { bytesOf, nullable, numberOf, textOf } from './columns.ts';
import type { Row, ServerDatabase } from './database.ts';

export interface Principal {
  /** `oid` of its tokens. UUID, lower case. */
  readonly objectId: string;
  /** `appid` of its tokens, `client_id` at the token endpoint. UUID, lower case. */
  readonly appId: string;
  readonly displayName: string;
  readonly kind: 'application' | 'managed-identity';
  /** The VM of a managed identity; it goes when the VM goes. */
  readonly vmId: string | null;
  readonly enabled: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** A secret as it is kept: what scrypt (RFC 7914) made of it, and with which parameters. */
export interface StoredSecret {
  readonly keyId: string;
  readonly objectId: string;
  /** First characters of the secret, in the clear: picks the one hash that is compared. */
  readonly hint: string;
  readonly hash: Uint8Array;
  readonly salt: Uint8Array;
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  /** `admin.json` for the one that is in that file; null for every other. */
  readonly label: string | null;
  readonly createdAt: number;
}

export interface StoredCertificate {
  readonly objectId: string;
  /** SHA-1 and SHA-256 over the DER, hex: `x5t` and `x5t#S256` of an assertion. */
  readonly sha1: string;
  readonly sha256: string;
  /** PEM. */
  readonly certificate: string;
  readonly createdAt: number;
}

const mostRecent = 20_000;

/** Service principals and their credentials. No secret is in here that could be used as one. */
export class PrincipalStore {
  readonly #database: ServerDatabase;
  /** Every call of every plane asks for its caller; good until anything is written, a VM's end with its identity included. */
  readonly #recent = new Map<string, Principal>();
  #recentAt = -1;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  transaction<Result>(writes: () => Result): Result {
    return this.#database.transaction(writes);
  }

  /** Does nothing where the object is there already, or its VM is gone. */
  add(principal: Principal): void {
    this.#database.change(
      `INSERT INTO service_principals (object_id, app_id, display_name, kind, vm_id, enabled, created_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE ?5 IS NULL OR EXISTS (SELECT 1 FROM vms WHERE id = ?5)
       ON CONFLICT (object_id) DO NOTHING`,
      principal.objectId,
      principal.appId,
      principal.displayName,
      principal.kind,
      principal.vmId,
      principal.enabled ? 1 : 0,
      principal.createdAt,
    );
  }

  /** With its credentials. @returns false where there is none */
  remove(objectId: string): boolean {
    return this.#database.change('DELETE FROM service_principals WHERE object_id = ?', objectId) === 1;
  }

  byObjectId(objectId: string): Principal | undefined {
    if (this.#recentAt !== this.#database.writes || this.#recent.size >= mostRecent) this.#recent.clear();
    this.#recentAt = this.#database.writes;
    const known = this.#recent.get(objectId);
    if (known !== undefined) return known;
    const found = principalOf(this.#database.one('SELECT * FROM service_principals WHERE object_id = ?', objectId));
    if (found !== undefined) this.#recent.set(objectId, found);
    return found;
  }

  byAppId(appId: string): Principal | undefined {
    return principalOf(this.#database.one('SELECT * FROM service_principals WHERE app_id = ?', appId));
  }

  list(): readonly Principal[] {
    return this.#database
      .all('SELECT * FROM service_principals ORDER BY created_at, object_id')
      .flatMap((row) => principalOf(row) ?? []);
  }

  count(): number {
    const row = this.#database.one("SELECT count(*) AS number FROM service_principals WHERE kind = 'application'");
    return row === undefined ? 0 : numberOf(row, 'number');
  }

  addSecret(secret: StoredSecret): void {
    this.#database.change(
      `INSERT INTO principal_secrets
         (key_id, object_id, hint, hash, salt, cost, block_size, parallelization, label, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      secret.keyId,
      secret.objectId,
      secret.hint,
      secret.hash,
      secret.salt,
      secret.cost,
      secret.blockSize,
      secret.parallelization,
      secret.label,
      secret.createdAt,
    );
  }

  removeSecrets(objectId: string): void {
    this.#database.change('DELETE FROM principal_secrets WHERE object_id = ?', objectId);
  }

  removeLabelledSecrets(objectId: string, label: string): void {
    this.#database.change('DELETE FROM principal_secrets WHERE object_id = ? AND label = ?', objectId, label);
  }

  secretByHint(objectId: string, hint: string): StoredSecret | undefined {
    return secretOf(
      this.#database.one('SELECT * FROM principal_secrets WHERE object_id = ? AND hint = ?', objectId, hint),
    );
  }

  hasSecret(keyId: string): boolean {
    return this.#database.one('SELECT 1 AS found FROM principal_secrets WHERE key_id = ?', keyId) !== undefined;
  }

  /** Does nothing where the principal has it already. */
  addCertificate(certificate: StoredCertificate): void {
    this.#database.change(
      `INSERT INTO principal_certificates (object_id, sha1, sha256, certificate, created_at)
       VALUES (?, ?, ?, ?, ?) ON CONFLICT (object_id, sha256) DO NOTHING`,
      certificate.objectId,
      certificate.sha1,
      certificate.sha256,
      certificate.certificate,
      certificate.createdAt,
    );
  }

  removeCertificates(objectId: string): void {
    this.#database.change('DELETE FROM principal_certificates WHERE object_id = ?', objectId);
  }

  certificates(objectId: string): readonly StoredCertificate[] {
    return this.#database
      .all('SELECT * FROM principal_certificates WHERE object_id = ? ORDER BY created_at', objectId)
      .map((row) => ({
        objectId: textOf(row, 'object_id'),
        sha1: textOf(row, 'sha1'),
        sha256: textOf(row, 'sha256'),
        certificate: textOf(row, 'certificate'),
        createdAt: numberOf(row, 'created_at'),
      }));
  }
}

function principalOf(row: Row | undefined): Principal | undefined {
  if (row === undefined) return undefined;
  return {
    objectId: textOf(row, 'object_id'),
    appId: textOf(row, 'app_id'),
    displayName: textOf(row, 'display_name'),
    kind: textOf(row, 'kind') as Principal['kind'],
    vmId: nullable(row, 'vm_id', textOf),
    enabled: numberOf(row, 'enabled') === 1,
    createdAt: numberOf(row, 'created_at'),
  };
}

function secretOf(row: Row | undefined): StoredSecret | undefined {
  if (row === undefined) return undefined;
  return {
    keyId: textOf(row, 'key_id'),
    objectId: textOf(row, 'object_id'),
    hint: textOf(row, 'hint'),
    hash: bytesOf(row, 'hash'),
    salt: bytesOf(row, 'salt'),
    cost: numberOf(row, 'cost'),
    blockSize: numberOf(row, 'block_size'),
    parallelization: numberOf(row, 'parallelization'),
    label: nullable(row, 'label', textOf),
    createdAt: numberOf(row, 'created_at'),
  };
}
