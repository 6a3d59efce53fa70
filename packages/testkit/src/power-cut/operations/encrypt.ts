import type { Operation } from './operation.ts';

/** A plain volume is encrypted in place, every block of it. */
export const encrypt: Operation = {
  name: 'encrypt',
  steps: [
    'planned',
    'passphrase-escrowed',
    'header-made',
    'header-escrowed',
    'entries-moved',
    'mapped',
    'converted',
    'finished',
  ],
  conversion: { after: 'mapped', until: 'converted' },
  writerGoesOn: 'at-first-step',
  async prepare() {},
  async work({ engine, point, vault, kekId }) {
    await engine.encrypt(point, { vault, kekId, stopServices: false });
  },
  end: (found) =>
    found === null
      ? { states: ['NotEncrypted'], plaintextMayBeLeft: true }
      : { states: ['Encrypted'], plaintextMayBeLeft: false },
};
