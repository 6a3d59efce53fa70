import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects garbage now. Node wipes the memory of a Web Crypto key when the key is collected, and only then; sealing must
 * not leave that to chance.
 */
export async function collectGarbage(): Promise<void> {
  await nextTurn();
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  for (let time = 0; time < 2; time += 1) {
    if (typeof collect === 'function') collect();
    await nextTurn();
  }
}
