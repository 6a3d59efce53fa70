import { rotateVolumeKey } from '@kannuki/guest';
import type { Operation } from './operation.ts';
import { wrongsOfKeys } from './wrongs-of-keys.ts';

/** An encrypted volume gets a new volume key: every block is encrypted anew. */
export const rotateVolumeKeyOperation: Operation = {
  name: 'rotate-volume-key',
  steps: ['planned', 'boot-prepared', 'header-made', 'keys-escrowed', 'header-installed', 'converted', 'finished'],
  conversion: { after: 'header-installed', until: 'converted' },
  writerGoesOn: 'at-first-step',
  async prepare({ engine, point, vault, kekId }) {
    await engine.encrypt(point, { vault, kekId, stopServices: false });
  },
  async work({ engine, point, vault }) {
    await engine.operate(point, rotateVolumeKey(), () => vault);
  },
  end: () => ({ states: ['Encrypted'], plaintextMayBeLeft: false }),
  wrongs: wrongsOfKeys,
};
