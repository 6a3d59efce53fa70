import { nullable, numberOf, textOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

export interface StoredCertificate {
  /** Hex, lower case. */
  readonly serial: string;
  readonly vmId: string;
  readonly issuedAt: number;
  readonly notAfter: number;
  /** Null until the agent has shown it once: a certificate whose answer was lost admits nobody. */
  readonly firstUsedAt: number | null;
  readonly revokedAt: number | null;
}

/** Certificates of agents: what a client shows must be in here and not revoked, whatever its signature says. */
export class CertificateStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  add(certificate: Pick<StoredCertificate, 'serial' | 'vmId' | 'issuedAt' | 'notAfter'>): void {
    const { serial, vmId, issuedAt, notAfter } = certificate;
    this.#database.change(
      'INSERT INTO agent_certificates (serial, vm_id, issued_at, not_after) VALUES (?, ?, ?, ?)',
      serial,
      vmId,
      issuedAt,
      notAfter,
    );
  }

  find(serial: string): StoredCertificate | undefined {
    const row = this.#database.one('SELECT * FROM agent_certificates WHERE serial = ?', serial);
    if (row === undefined) return undefined;
    return {
      serial,
      vmId: textOf(row, 'vm_id'),
      issuedAt: numberOf(row, 'issued_at'),
      notAfter: numberOf(row, 'not_after'),
      firstUsedAt: nullable(row, 'first_used_at', numberOf),
      revokedAt: nullable(row, 'revoked_at', numberOf),
    };
  }

  markUsed(serial: string, now: number): void {
    this.#database.change(
      'UPDATE agent_certificates SET first_used_at = ? WHERE serial = ? AND first_used_at IS NULL',
      now,
      serial,
    );
  }

  /** Every certificate of the VM but one. */
  revokeOthers(vmId: string, keep: string, now: number): void {
    this.#database.change(
      'UPDATE agent_certificates SET revoked_at = ? WHERE vm_id = ? AND serial <> ? AND revoked_at IS NULL',
      now,
      vmId,
      keep,
    );
  }

  /** Whether the VM holds a certificate that was in use and is good until then. */
  hasLive(vmId: string, until: number): boolean {
    const row = this.#database.one(
      `SELECT count(*) AS number FROM agent_certificates
       WHERE vm_id = ? AND revoked_at IS NULL AND first_used_at IS NOT NULL AND not_after > ?`,
      vmId,
      until,
    );
    return row !== undefined && numberOf(row, 'number') > 0;
  }
}
