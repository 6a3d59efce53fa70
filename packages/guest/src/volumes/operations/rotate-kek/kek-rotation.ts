import type { BlobReceipt, EscrowReceipt } from '@kannuki/keyvault';
import type { Journal } from '../../journal.ts';

/** What the change of the KEK has to know, in the journal while it is under way. */
export interface KekRotation {
  /** The new KEK, with version. */
  readonly kekId: string;
  /** The same passphrase and the same volume key under the new KEK may be the newest versions in the vault already. */
  readonly escrowTried: boolean;
  readonly passphrase: EscrowReceipt | null;
  readonly headerRecord: BlobReceipt | null;
}

export function kekRotationOf({ name, kekRotation }: Journal): KekRotation {
  if (kekRotation === undefined) throw new Error(`${name} has no change of its KEK on record`);
  return kekRotation;
}
