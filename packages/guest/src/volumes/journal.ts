import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, removeDurably, writeFileDurably } from '@kannuki/core';
import type { BlobReceipt, EscrowReceipt } from '@kannuki/keyvault';
import type { Tuning } from '../tuning/tuning.ts';
import { type EnginePaths, journalFolder } from './paths.ts';

/**
 * The steps of an encryption in place, in their order. A journal names the last one that is complete and on stable
 * storage; the next one may have begun. Each can be begun again after a power cut.
 */
export const encryptionSteps = [
  'planned',
  'passphrase-escrowed',
  'header-made',
  'header-escrowed',
  'entries-moved',
  'mapped',
  'converted',
  'finished',
] as const;
export type EncryptionStep = (typeof encryptionSteps)[number];

/** The durable record of one volume: what is known of it, what was done, what is still to do. No key is in it. */
export interface Journal {
  readonly version: 1;
  /** Name of the volume: mapper name, file name of journal and header. */
  readonly name: string;
  readonly operation: 'encrypt';
  readonly step: EncryptionStep;
  readonly device: JournalDevice;
  readonly fileSystem: { readonly type: string; readonly uuid: string };
  readonly mount: JournalMount;
  readonly header: { readonly sectorSize: 512 | 4096; readonly resilience: 'journal' };
  /** How dm-crypt is to work; missing in journals of volumes from before there was a choice. */
  readonly tuning?: Tuning;
  readonly vaultUri: string;
  readonly kekId: string | null;
  /** Chosen before the first call, so that trying again makes a version and no orphan. */
  readonly secretName: string;
  readonly keyFileName: string;
  /** Where the next boot takes the passphrase from. */
  readonly keySource: 'key-volume' | 'vault';
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
}

export interface JournalDevice {
  /** A name that survives a reboot where there is one, else the kernel's. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly serial: string | null;
}

export interface JournalMount {
  readonly point: string;
  readonly options: string;
  readonly dump: number;
  readonly pass: number;
  /** The line of /etc/fstab as it was, without its newline. */
  readonly originalLine: string;
}

export function isAtLeast(journal: Journal, step: EncryptionStep): boolean {
  return encryptionSteps.indexOf(journal.step) >= encryptionSteps.indexOf(step);
}

/** Journals on disk: one JSON file a volume, replaced whole and durably. */
export class JournalStore {
  readonly #folder: string;

  constructor(paths: EnginePaths) {
    this.#folder = journalFolder(paths);
  }

  async list(): Promise<readonly Journal[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const journals = names.filter((name) => /^[A-Za-z0-9_]+\.json$/.test(name)).sort();
    return Promise.all(journals.map((name) => this.#read(name)));
  }

  async save(journal: Journal): Promise<void> {
    await makeDirectoryDurably(this.#folder, 0o700);
    await writeFileDurably(this.#path(journal.name), `${JSON.stringify(journal, null, 2)}\n`, 0o600);
  }

  async remove(name: string): Promise<void> {
    await removeDurably(this.#path(name));
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }

  async #read(file: string): Promise<Journal> {
    const path = join(this.#folder, file);
    try {
      return parseJournal(await readFile(path, 'utf8'), file);
    } catch (cause) {
      throw new KannukiError('KNK-VOL-0001', { details: { path }, cause });
    }
  }
}

function parseJournal(text: string, file: string): Journal {
  const journal = JSON.parse(text) as Partial<Journal> | null;
  const wellFormed =
    journal !== null &&
    typeof journal === 'object' &&
    journal.version === 1 &&
    `${journal.name}.json` === file &&
    journal.step !== undefined &&
    encryptionSteps.includes(journal.step) &&
    typeof journal.device?.path === 'string' &&
    typeof journal.device.sizeBytes === 'number' &&
    typeof journal.mount?.point === 'string' &&
    typeof journal.mount.originalLine === 'string' &&
    typeof journal.fileSystem?.uuid === 'string' &&
    typeof journal.fileSystem.type === 'string' &&
    Array.isArray(journal.stoppedUnits);
  if (!wellFormed) throw new Error('not a journal of this version');
  return journal as Journal;
}
