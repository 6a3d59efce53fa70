/** One call of the data plane, as it stands in the audit log. Never holds a value, a token or key material. */
export interface AuditRecord {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly requestId: string;
  /** As Azure's logs name it: `SecretGet`, `KeyUnwrap`, `KeyCreate`, …; `Authentication` for a refused token. */
  readonly operation: string;
  readonly vault: string;
  /** `secrets/NAME/VERSION`: with the version that was really used; null where the call names no object. */
  readonly object: string | null;
  /** Null where the token was refused. */
  readonly objectId: string | null;
  readonly applicationId: string | null;
  readonly address: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Azure's error code; null for a success. */
  readonly error: string | null;
}

export interface AuditPort {
  /** Resolves when the record is on stable storage; the answer must not leave before. Rejects where it cannot be written. */
  append(record: AuditRecord): Promise<void>;
}
