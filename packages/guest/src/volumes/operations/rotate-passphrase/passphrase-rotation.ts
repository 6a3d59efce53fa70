import type { EscrowReceipt } from '@kannuki/keyvault';
import type { Journal } from '../../journal.ts';

/** What the rotation of a passphrase has to know, in the journal while it is under way. */
export interface PassphraseRotation {
  /** The key slot that the old passphrase opens, and that goes at the end. */
  readonly oldSlot: number;
  /** The one that may hold the new passphrase; it was free when that was put on record. null: none was tried. */
  readonly newSlot: number | null;
  /** The new passphrase may be the newest version in the vault already. */
  readonly escrowTried: boolean;
  /** The new passphrase, once it is escrowed, read back and tried. */
  readonly added: { readonly slot: number; readonly passphrase: EscrowReceipt } | null;
}

export function passphraseRotationOf({ name, passphraseRotation }: Journal): PassphraseRotation {
  if (passphraseRotation === undefined) throw new Error(`${name} has no rotation of its passphrase on record`);
  return passphraseRotation;
}
