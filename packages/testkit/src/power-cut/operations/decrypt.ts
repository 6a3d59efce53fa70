import { readdirSync, readFileSync } from 'node:fs';
import { decryption } from '@kannuki/guest';
import { dataDevice, mountedDataDevice } from '../small-vm.ts';
import type { Operation } from './operation.ts';

/** An encrypted volume becomes plain in place, every block of it, and its mapping goes. */
export const decrypt: Operation = {
  name: 'decrypt',
  steps: [
    'planned',
    'header-escrowed',
    'boot-prepared',
    'begun',
    'decrypted',
    'entries-restored',
    'unmapped',
    'header-removed',
    'finished',
  ],
  conversion: { after: 'begun', until: 'decrypted' },
  writerGoesOn: 'at-first-step',
  async prepare({ engine, point, vault, kekId }) {
    await engine.encrypt(point, { vault, kekId, stopServices: false });
  },
  async work({ engine, point, vault }) {
    await engine.operate(point, decryption({ stopServices: false }), () => vault);
  },
  end: (found) =>
    found?.operation === 'encrypt'
      ? { states: ['Encrypted'], plaintextMayBeLeft: false }
      : { states: ['NotEncrypted'], plaintextMayBeLeft: true },
  async wrongs({ engine, point }) {
    if ((await engine.journals()).length > 0) return [];
    const fstab = readFileSync('/etc/fstab', 'utf8').split('\n');
    const isBack = fstab.at(-3) === '# data' && fstab.at(-2)?.startsWith('UUID=') === true && fstab.at(-1) === '';
    const names = readFileSync('/etc/crypttab', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return [
      ...(isBack ? [] : [`fstab ends with ${JSON.stringify(fstab.slice(-3))}`]),
      ...(names.length === 0 ? [] : [`crypttab has ${names.join('; ')}`]),
      ...(mountedDataDevice() === dataDevice ? [] : [`${point} is on ${mountedDataDevice()}`]),
      ...readdirSync('/var/lib/kannuki/headers').map((name) => `${name} is still there`),
    ];
  },
};
