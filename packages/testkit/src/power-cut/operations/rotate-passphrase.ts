import { rotatePassphrase } from '@kannuki/guest';
import type { Operation } from './operation.ts';
import { wrongsOfKeys } from './wrongs-of-keys.ts';

/** An encrypted volume gets a new passphrase. */
export const rotatePassphraseOperation: Operation = {
  name: 'rotate-passphrase',
  steps: ['planned', 'passphrase-added', 'header-escrowed', 'switched', 'old-removed', 'finished'],
  conversion: null,
  writerGoesOn: 'at-first-step',
  async prepare({ engine, point, vault, kekId }) {
    await engine.encrypt(point, { vault, kekId, stopServices: false });
  },
  async work({ engine, point, vault }) {
    await engine.operate(point, rotatePassphrase, () => vault);
  },
  end: () => ({ states: ['Encrypted'], plaintextMayBeLeft: false }),
  wrongs: wrongsOfKeys,
};
