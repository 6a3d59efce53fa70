import type {
  AuditEntry,
  AuditLog,
  AuditPort,
  AuditQuery,
  AuditRecord,
  AuditVerification,
  SealableVaults,
} from '@kannuki/keyvault';
import type { DataPaths } from '../data-directory.ts';
import type { OnFailure } from '../http/error-reply.ts';
import { openAuditLog } from './audit-files.ts';

export interface SealableAuditOptions {
  readonly paths: Pick<DataPaths, 'audit' | 'auditAnchor'>;
  readonly sealable: SealableVaults;
  readonly onFailure: OnFailure;
}

/**
 * The audit log of a server whose vaults may be sealed: its chain is keyed by what the root key opens, so that it is open when they
 * are. While they are sealed nothing is let out that would have to be recorded: every call is refused with KNK-KVT-0027.
 */
export class SealableAudit implements AuditPort {
  readonly #options: SealableAuditOptions;
  #log: AuditLog | undefined;
  #opening: Promise<AuditLog> | undefined;

  constructor(options: SealableAuditOptions) {
    this.#options = options;
  }

  /** @throws KannukiError KNK-AUD-0001, 0003 */
  async openWhereUnsealed(): Promise<void> {
    if (!this.#options.sealable.isSealed) await this.#opened();
  }

  async append(record: AuditRecord): Promise<void> {
    await (this.#log ?? (await this.#opened())).append(record);
  }

  async read(query: Omit<AuditQuery, 'until'>): Promise<readonly AuditEntry[]> {
    return (await this.#opened()).read(query);
  }

  async verify(): Promise<AuditVerification> {
    return (await this.#opened()).verify();
  }

  /** For a seal, after the vaults are sealed, and for the end: what waits is written, and the key is let go of. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#log = undefined;
    const [result] = await Promise.allSettled([opening]);
    if (result.status === 'fulfilled') await result.value?.close();
  }

  /** @throws KannukiError KNK-KVT-0027 while sealed */
  async #opened(): Promise<AuditLog> {
    const opening = this.#opening ?? this.#open();
    this.#opening = opening;
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  async #open(): Promise<AuditLog> {
    const { paths, sealable, onFailure } = this.#options;
    this.#log = await openAuditLog(paths, sealable.vaults(), onFailure);
    return this.#log;
  }
}
