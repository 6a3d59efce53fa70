import type { BlobReceipt, EscrowReceipt } from '@kannuki/keyvault';
import type { Tuning } from '../tuning/tuning.ts';
import type { FormatRecord } from './operations/format/format-record.ts';
import type { RandomKeyRecord } from './operations/random-key/random-key-record.ts';
import type { KekRotation } from './operations/rotate-kek/kek-rotation.ts';
import type { PassphraseRotation } from './operations/rotate-passphrase/passphrase-rotation.ts';
import type { KeyRotation } from './operations/rotate-volume-key/key-rotation.ts';
import type { UsedOnlyRecord } from './operations/used-only/record.ts';
import type { VolumeUse } from './uses/uses.ts';

/** What can be done to a volume. Each has a plan of its own (operations/NAME/plan.ts). */
export const operationNames = [
  'encrypt',
  'used-only',
  'format',
  'random-key',
  'end-random-key',
  'decrypt',
  'rotate-passphrase',
  'rotate-kek',
  'rotate-volume-key',
] as const;
export type OperationName = (typeof operationNames)[number];

/**
 * The durable record of one volume: what is known of it, what is being done to it, what was done and what is still to do. No
 * key is in it. It begins with the volume's encryption and ends when the volume is plain again.
 */
export interface Journal {
  readonly version: 1;
  /** Name of the volume: mapper name, file name of journal and header. */
  readonly name: string;
  /** The last operation that was begun; it is over when `step` is `finished`. */
  readonly operation: OperationName;
  /** The operation that made the encrypted volume. */
  readonly madeBy: OperationName;
  /**
   * The last step of the operation's plan that is complete and on stable storage; the next one may have begun. Each can be
   * begun again after a power cut.
   */
  readonly step: string;
  readonly device: JournalDevice;
  /** What the volume is for, and how the machine uses it without Kannuki. */
  readonly use: VolumeUse;
  readonly header: JournalHeader;
  /** How dm-crypt is to work; missing in journals of volumes from before there was a choice. */
  readonly tuning?: Tuning;
  /** Empty for a volume whose key is a new random one at each boot. */
  readonly vaultUri: string;
  readonly kekId: string | null;
  /** Chosen before the first call, so that trying again makes a version and no orphan. */
  readonly secretName: string;
  readonly keyFileName: string;
  /** Where the next boot takes the passphrase from; `random`: it makes a new key that nobody ever sees. */
  readonly keySource: 'key-volume' | 'vault' | 'random';
  /** vfat volume id of the key volume, XXXX-XXXX; null when the agent fetches the passphrase itself. */
  readonly keyVolumeUuid: string | null;
  readonly passphrase: EscrowReceipt | null;
  readonly headerRecord: BlobReceipt | null;
  /** LUKS UUID of the header, once made. */
  readonly luksUuid: string | null;
  /** The owner allowed that units with open files are stopped for the unmount. */
  readonly stopServices: boolean;
  /** Units that were stopped for the unmount and have to be started again. */
  readonly stoppedUnits: readonly string[];
  readonly downtimeSeconds: number | null;
  /** Of an encryption of the used space only. */
  readonly usedOnly?: UsedOnlyRecord;
  /** Of a volume that was formatted. */
  readonly format?: FormatRecord;
  /** Of a volume that gets a new random key at each boot. */
  readonly randomKey?: RandomKeyRecord;
  readonly decryption?: JournalDecryption;
  /** Of the operations of these names, as long as they are under way. */
  readonly passphraseRotation?: PassphraseRotation;
  readonly kekRotation?: KekRotation;
  readonly keyRotation?: KeyRotation;
}

/** Of a volume that is plain again. */
export interface JournalDecryption {
  /** Boot (random(4), boot_id) in which it could not be unmounted from its mapping, so that the next boot has to do it. */
  readonly stayedBusyIn: string;
}

export interface JournalDevice {
  /** A name that survives a reboot where there is one, else the kernel's. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly serial: string | null;
}

export interface JournalHeader {
  /** `file`: detached, below the state folder (in place); `disk`: at the beginning of the device (formatted volumes). */
  readonly place: 'file' | 'disk';
  readonly sectorSize: 512 | 4096;
  readonly resilience: 'journal';
}

export function isFinished({ step }: Pick<Journal, 'step'>): boolean {
  return step === 'finished';
}
