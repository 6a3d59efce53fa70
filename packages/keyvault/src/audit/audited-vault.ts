import { KannukiError, type SecretBytes, type VaultCall } from '@kannuki/core';
import { type ObjectCollection, parseObjectId } from '../object-id.ts';
import type { KeyInfo, SecretAttributes, StoredSecret, VaultPort, WrapAlgorithm, WrappedKey } from '../port.ts';
import type { Caller } from '../service/access.ts';
import type { AuditPort, AuditRecord } from '../service/audit-port.ts';

export type AuditedCaller = Pick<Caller, 'objectId' | 'applicationId' | 'address'>;

export interface AuditedVaultOptions {
  readonly vault: VaultPort;
  readonly audit: AuditPort;
  readonly caller: AuditedCaller;
  readonly requestId: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How each call of the vault is named in the log. */
export const auditedOperations = {
  keyInfo: 'KeyGet',
  wrapKey: 'KeyWrap',
  unwrapKey: 'KeyUnwrap',
  setSecret: 'SecretSet',
  getSecret: 'SecretGet',
  disableSecret: 'SecretUpdate',
} as const satisfies Readonly<Record<VaultCall, string>>;

type VaultOperation = (typeof auditedOperations)[VaultCall];

/**
 * A vault whose every call is on record before its answer is handed out, be it a value or a refusal. Where the record
 * cannot be written the call fails (KNK-AUD-0001, 0002) and what the vault gave is wiped. A secret that was set and could
 * not be recorded is a version that nobody was told of.
 */
export class AuditedVault implements VaultPort {
  readonly vaultUri: string;
  readonly #vault: VaultPort;
  readonly #options: AuditedVaultOptions;
  #calls = 0;

  constructor(options: AuditedVaultOptions) {
    this.#options = options;
    this.#vault = options.vault;
    this.vaultUri = options.vault.vaultUri;
  }

  /** How many calls came so far. */
  get calls(): number {
    return this.#calls;
  }

  keyInfo(keyId: string): Promise<KeyInfo> {
    return this.#record('KeyGet', keyId, () => this.#vault.keyInfo(keyId), { versioned: ({ id }) => id });
  }

  wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    const call = (): Promise<WrappedKey> => this.#vault.wrapKey(keyId, algorithm, value);
    return this.#record('KeyWrap', keyId, call, { versioned: (wrapped) => wrapped.keyId });
  }

  unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    let used = keyId;
    const call = async (): Promise<SecretBytes> => {
      // The answer does not tell the version, so it is settled first.
      if (parseObjectId(keyId, 'keys')?.version === null) used = (await this.#vault.keyInfo(keyId)).id;
      return this.#vault.unwrapKey(used, algorithm, wrapped);
    };
    const wipe = (plain: SecretBytes): void => plain[Symbol.dispose]();
    return this.#record('KeyUnwrap', keyId, call, { versioned: () => used, wipe });
  }

  setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    const id = this.#secretNamed(name);
    const call = (): Promise<{ readonly id: string }> => this.#vault.setSecret(name, value, attributes);
    return this.#record('SecretSet', id, call, { versioned: (stored) => stored.id });
  }

  getSecret(secretId: string): Promise<StoredSecret> {
    const wipe = (stored: StoredSecret): void => stored.value[Symbol.dispose]();
    return this.#record('SecretGet', secretId, () => this.#vault.getSecret(secretId), {
      versioned: ({ id }) => id,
      wipe,
    });
  }

  disableSecret(name: string): Promise<void> {
    const id = this.#secretNamed(name);
    return this.#record('SecretUpdate', id, () => this.#vault.disableSecret(name), { versioned: () => id });
  }

  #secretNamed(name: string): string {
    return URL.parse(`secrets/${encodeURIComponent(name)}`, this.vaultUri)?.href ?? '';
  }

  async #record<Result>(
    operation: VaultOperation,
    asked: string,
    call: () => Promise<Result>,
    { versioned, wipe }: { versioned: (result: Result) => string; wipe?: (result: Result) => void },
  ): Promise<Result> {
    this.#calls += 1;
    const { audit, caller, requestId, now } = this.#options;
    const base = { time: now(), requestId, vault: nameOf(URL.parse(this.vaultUri)?.host), caller, operation };
    let result: Result;
    try {
      result = await call();
    } catch (error) {
      await audit.append(vaultCallRecord({ ...base, id: asked, error }));
      throw error;
    }
    try {
      await audit.append(vaultCallRecord({ ...base, id: versioned(result) }));
      return result;
    } catch (error) {
      wipe?.(result);
      throw error;
    }
  }
}

export interface VaultCallFacts {
  readonly time: number;
  readonly requestId: string;
  readonly caller: AuditedCaller;
  /** Name of the vault, for calls whose object names none. */
  readonly vault: string;
  /** As Azure's logs name it. */
  readonly operation: string;
  /** Of the object, as it was used or else asked for; what is no id is not recorded, for it could be anything. */
  readonly id: string;
  /** Left out where the call succeeded. */
  readonly error?: unknown;
}

/** One call of a vault as a record; also for calls that were refused before there was a vault to call. */
export function vaultCallRecord(facts: VaultCallFacts): AuditRecord {
  const { time, requestId, caller, vault, operation, id, error } = facts;
  const object = parseObjectId(id, 'keys') ?? parseObjectId(id, 'secrets');
  const path = [object?.collection, object?.name, object?.version].filter((part) => typeof part === 'string');
  return {
    time,
    requestId,
    operation,
    vault: object === undefined ? vault : nameOf(object.host),
    object: object === undefined ? null : path.join('/'),
    objectId: caller.objectId,
    applicationId: caller.applicationId,
    address: caller.address,
    status: error === undefined ? 200 : error instanceof KannukiError ? error.httpStatus : 500,
    error: error === undefined ? null : azureErrorCode(error, object?.collection ?? 'secrets'),
  };
}

/** The first label of a vault's host. */
function nameOf(host = ''): string {
  return host.split('.', 1)[0] ?? '';
}

/** Azure's name for what went wrong. */
function azureErrorCode(error: unknown, collection: ObjectCollection): string {
  const status = error instanceof KannukiError ? error.httpStatus : 500;
  if (status === 403) return 'Forbidden';
  if (status === 404) return collection === 'keys' ? 'KeyNotFound' : 'SecretNotFound';
  if (status === 409) return 'Conflict';
  if (status === 429) return 'Throttled';
  if (status === 503) return 'ServiceUnavailable';
  return status < 500 ? 'BadParameter' : 'InternalServerError';
}
