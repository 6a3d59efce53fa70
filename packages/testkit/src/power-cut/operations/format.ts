import { existsSync, readdirSync } from 'node:fs';
import { formatting, identityOf, readGuestFacts, resolveTargets } from '@kannuki/guest';
import type { Operation } from './operation.ts';

/** A volume full of files is given up, and made anew under a header on the disk itself. */
export const format: Operation = {
  name: 'format',
  steps: [
    'planned',
    'passphrase-escrowed',
    'header-prepared',
    'header-escrowed',
    'let-go',
    'header-written',
    'wiped',
    'file-system-made',
    'entries-moved',
    'mounted',
    'finished',
  ],
  conversion: null,
  // What is written to the old volume is lost.
  writerGoesOn: 'when-mounted',
  async prepare() {},
  async work(world) {
    const { engine, point, vault, kekId } = world;
    const request = { vault, kekId, stopServices: false };
    const isBegun = (await engine.journals()).length > 0;
    const [volume] = isBegun ? [] : await resolveTargets(await readGuestFacts(), [point]);
    if (!isBegun) await world.forgetFiles();
    const confirmed = volume === undefined ? [] : [identityOf(volume)];
    await engine.encrypt(point, request, formatting({ confirmed, wipe: true }));
  },
  end: (found) =>
    found === null
      ? { states: ['NotEncrypted'], plaintextMayBeLeft: true }
      : { states: ['Encrypted'], plaintextMayBeLeft: false },
  /** Either the old volume with all its files, or the new one with none of them. */
  async wrongs({ engine, point }) {
    const old = existsSync(`${point}/old`) ? readdirSync(`${point}/old`).length : 0;
    const wanted = (await engine.journals()).length === 0 ? oldFiles : 0;
    return old === wanted ? [] : [`${old} of the old files, wanted ${wanted}`];
  },
};

/** As many as every volume of the power-cut tests is filled with. */
const oldFiles = 24;
