import type { BlobReceipt } from '@kannuki/keyvault';
import type { Journal } from '../../journal.ts';

/** What the change of the volume key has to know, in the journal while it is under way. */
export interface KeyRotation {
  /** The key slot that the passphrase opens at the begin. */
  readonly oldSlot: number;
  /** null: as it is. */
  readonly cipher: NewCipher | null;
  readonly sectorSize: 512 | 4096;
  /** Sequence number (decimal) of the header that the next one was made from. null until it is made. */
  readonly madeFrom: string | null;
  /**
   * Header records of the time in which both keys are on the disk: the metadata with which the conversion begins, once with the old
   * volume key and once with the new one. A lost header of that time is rebuilt from the two. null until they are escrowed.
   */
  readonly records: { readonly oldKey: BlobReceipt; readonly newKey: BlobReceipt } | null;
}

export interface NewCipher {
  /** As cryptsetup and the kernel write it. */
  readonly name: string;
  readonly keyBits: number;
}

/** Ciphers to choose from: those that were tried with online conversion in the lab. */
export const newCiphers: Readonly<Record<string, NewCipher>> = {
  'aes-256-xts': { name: 'aes-xts-plain64', keyBits: 512 },
  'aes-128-xts': { name: 'aes-xts-plain64', keyBits: 256 },
  adiantum: { name: 'xchacha20,aes-adiantum-plain64', keyBits: 256 },
};

export function keyRotationOf({ name, keyRotation }: Journal): KeyRotation {
  if (keyRotation === undefined) throw new Error(`${name} has no change of its volume key on record`);
  return keyRotation;
}
