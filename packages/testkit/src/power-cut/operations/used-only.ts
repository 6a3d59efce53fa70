import { rmSync, statfsSync } from 'node:fs';
import { run } from '@kannuki/core';
import { inPlaceBySpace } from '@kannuki/guest';
import { fileContent, writePromised } from '../files.ts';
import { Random } from '../random.ts';
import { smallVm } from '../small-vm.ts';
import type { Operation } from './operation.ts';

/** Of the 160 MiB of the small VM: what is written after it lies behind the part that stays when the file system is shrunk. */
const fillerMiB = 84;
/** Less than the partition by what ext4 keeps for itself; far more than the front. */
const wholeFileSystemBytes = (smallVm.dataMiB - 40) * 1024 * 1024;

/** A plain volume is encrypted in place, its used space only: shrunk, converted, the rest wiped, grown again. */
export const usedOnly: Operation = {
  name: 'used-only',
  steps: [
    'planned',
    'passphrase-escrowed',
    'header-made',
    'header-escrowed',
    'entries-moved',
    'shrink-begun',
    'mapped',
    'rest-wiped',
    'grown',
    'converted',
    'finished',
  ],
  conversion: { after: 'grown', until: 'converted' },
  writerGoesOn: 'at-first-step',
  fileSystems: ['ext4'],
  windows: [
    { name: 'shrink', after: 'shrink-begun', until: 'mapped' },
    { name: 'wipe', after: 'mapped', until: 'rest-wiped' },
    { name: 'grow', after: 'rest-wiped', until: 'grown' },
  ],
  async furnish(point) {
    const random = new Random(7);
    for (let index = 0; index < fillerMiB; index++) {
      await writePromised(`${point}/filler`, `x${index}`, fileContent(random, 1024 * 1024));
    }
  },
  /** Makes room before the files: the shrinking has blocks to move then, and the rest of the disk shows old plaintext. */
  async prepare({ point }) {
    rmSync(`${point}/filler`, { recursive: true });
    await run('sync', []);
  },
  async work({ engine, point, vault, kekId }) {
    const way = inPlaceBySpace({ space: 'used', maximumDowntimeSeconds: null, rest: 'zeros', onChoice: () => {} });
    await engine.encrypt(point, { vault, kekId, stopServices: false }, way);
  },
  end: (found) =>
    found === null
      ? { states: ['NotEncrypted'], plaintextMayBeLeft: true }
      : { states: ['Encrypted'], plaintextMayBeLeft: false },
  async wrongs({ point }) {
    const { blocks, bsize } = statfsSync(point);
    const bytes = blocks * bsize;
    return bytes > wholeFileSystemBytes ? [] : [`the file system has only ${bytes} bytes`];
  },
};
