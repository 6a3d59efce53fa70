import { KannukiError } from '@kannuki/core';
import type { VmEvent } from '../port.ts';
import type { Machine } from './machine.ts';
import type { QmpClient } from './qmp.ts';

const oneResetMilliseconds = 1000;

/**
 * Listens to machines for as long as it lives: a VM that reboots by itself needs its key volume again, and nobody else
 * tells us. Machines that were started by an earlier process are listened to as well.
 */
export class Watcher implements Disposable {
  readonly #listener: (event: VmEvent) => void;
  readonly #sessions = new Map<string, QmpClient>();
  #disposed = false;

  constructor(listener: (event: VmEvent) => void) {
    this.#listener = listener;
  }

  /** Begins to listen to a machine; nothing happens where it has no process or is listened to already. */
  async add(name: string, machine: Machine): Promise<void> {
    if (this.#disposed || this.#sessions.has(name) || (await machine.processId()) === undefined) return;
    let session: QmpClient;
    try {
      session = await machine.connectEvents();
    } catch (error) {
      // Gone in between; or another process listens: it is the one that acts.
      if (error instanceof KannukiError) return;
      throw error;
    }
    if (this.#disposed || this.#sessions.has(name)) {
      session.close();
      return;
    }
    this.#sessions.set(name, session);
    let lastReset = 0;
    session.onEvent(({ event, data }) => {
      if (event !== 'RESET') return;
      // Linux resets by one way after the other, of which QEMU tells each.
      const isNew = Date.now() - lastReset > oneResetMilliseconds;
      lastReset = Date.now();
      if (isNew) this.#listener({ name, kind: 'reset', byGuest: data.guest === true });
    });
    void session.closed.then(() => {
      if (!this.#disposed && this.#sessions.get(name) === session) {
        this.#sessions.delete(name);
        this.#listener({ name, kind: 'stopped' });
      }
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }
}
