import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, makeDirectoryDurably, removeDurably, writeFileDurably } from '@kannuki/core';
import type { Journal } from './journal.ts';
import { type EnginePaths, journalFolder } from './paths.ts';
import { isStepOf } from './plans.ts';
import { isUse } from './uses/uses.ts';

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
    const files = names.filter((name) => /^[A-Za-z0-9_]+\.json$/.test(name)).sort();
    const journals = await Promise.all(files.map((name) => this.#read(name)));
    return journals.filter((journal) => journal !== undefined);
  }

  /** The volume's journal as it is on disk now. */
  async find(name: string): Promise<Journal | undefined> {
    return this.#read(`${name}.json`);
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

  /** undefined when there is none (any more). */
  async #read(file: string): Promise<Journal | undefined> {
    const path = join(this.#folder, file);
    try {
      return parseJournal(await readFile(path, 'utf8'), file);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
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
    isStepOf(journal.operation, journal.step) &&
    typeof journal.device?.path === 'string' &&
    typeof journal.device.sizeBytes === 'number' &&
    (journal.header?.place === 'file' || journal.header?.place === 'disk') &&
    isUse(journal.use) &&
    Array.isArray(journal.stoppedUnits);
  if (!wellFormed) throw new Error('not a journal of this version');
  return journal as Journal;
}
