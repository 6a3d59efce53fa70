import type { WrapAlgorithm } from '../port.ts';

/** ADE's content types: the passphrase itself, or wrapped by a KEK (REQ-232). */
export type PassphraseContentType = 'BEK' | 'Wrapped BEK';

/** Proof that a vault holds a value and gave it back once. No secret is in it: it belongs into the journal. */
export interface BlobReceipt {
  /** With version: exactly what was compared. */
  readonly secretId: string;
  readonly contentType: string;
}

/** Proof that a passphrase can be had back from the vault, and how. */
export interface EscrowReceipt extends BlobReceipt {
  /** With version; null where the passphrase is stored unwrapped. */
  readonly kekId: string | null;
  /** How the KEK wrapped; named also where there is none, as ADE does. */
  readonly algorithm: WrapAlgorithm;
  readonly contentType: PassphraseContentType;
  /** File on the key volume that holds this passphrase. */
  readonly keyFileName: string;
}
