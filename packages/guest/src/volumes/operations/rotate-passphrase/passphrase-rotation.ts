import type { EscrowReceipt } from '@kannuki/keyvault';
import type { Journal } from '../../journal.ts';

/** What the rotation of a passphrase has to know, in the journal while it is under way. */
export interface PassphraseRotation {
  /** Key slots that there were at the begin; every other one is of this rotation. */
  readonly slotsBefore: readonly number[];
  /** The one of them that the old passphrase opens, and that goes at the end. */
  readonly oldSlot: number;
  /** The new passphrase may be the newest version in the vault already. */
  readonly escrowTried: boolean;
  /** The new passphrase, once it is escrowed, read back and tried. */
  readonly added: { readonly slot: number; readonly passphrase: EscrowReceipt } | null;
}

export function passphraseRotationOf({ name, passphraseRotation }: Journal): PassphraseRotation {
  if (passphraseRotation === undefined) throw new Error(`${name} has no rotation of its passphrase on record`);
  return passphraseRotation;
}
