import { randomUUID } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import type { OnFailure } from '../../http/error-reply.ts';
import type { OperationStore } from '../../storage/operation-store.ts';
import { armError } from './arm-error.ts';

/** Work that goes on after the answer; clients ask for its end (Azure's asynchronous operations). */
export interface Operation {
  readonly id: string;
  readonly kind: string;
  /** What it is done to: name of a group, of a vault. */
  readonly subject: string;
  /** Object id of who asked for it. */
  readonly startedBy: string;
  readonly status: 'InProgress' | 'Succeeded' | 'Failed';
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | null;
}

/** Does the work of a kind of operation; must be able to go on where a crash has cut it, and to find it done. */
export type OperationWork = (subject: string) => Promise<void>;

export interface OperationsOptions {
  readonly store: OperationStore;
  readonly now: () => number;
  readonly onFailure: OnFailure;
}

const keptMilliseconds = 24 * 3600 * 1000;
const mostKept = 10_000;

/** Operations survive a restart: what a crash has cut is done at the next start. */
export class Operations {
  readonly #store: OperationStore;
  readonly #now: () => number;
  readonly #onFailure: OnFailure;
  readonly #work = new Map<string, OperationWork>();
  readonly #running = new Set<Promise<void>>();

  constructor({ store, now, onFailure }: OperationsOptions) {
    this.#store = store;
    this.#now = now;
    this.#onFailure = onFailure;
  }

  /** Call it for every kind before `resume`. */
  define(kind: string, work: OperationWork): void {
    this.#work.set(kind, work);
  }

  /** Puts it on record, begins, and does not wait for it. */
  start(kind: string, subject: string, startedBy: string): Operation {
    this.#store.forget(this.#now() - keptMilliseconds, mostKept);
    const operation: Operation = {
      id: randomUUID(),
      kind,
      subject,
      startedBy,
      status: 'InProgress',
      error: null,
      startedAt: this.#now(),
      endedAt: null,
    };
    this.#store.add(operation);
    this.#run(operation);
    return operation;
  }

  find(id: string): Operation | undefined {
    return this.#store.find(id);
  }

  /** Does what was under way when the server ended. Never throws: how each has ended is on record. */
  async resume(): Promise<void> {
    for (const operation of this.#store.running()) this.#run(operation);
    await this.idle();
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #run(operation: Operation): void {
    const run = this.#attempt(operation).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #attempt({ id, kind, subject }: Operation): Promise<void> {
    try {
      const work = this.#work.get(kind);
      if (work === undefined) throw new KannukiError('KNK-ARM-0019');
      await work(subject);
      this.#store.end(id, 'Succeeded', null, this.#now());
    } catch (error) {
      try {
        const known =
          error instanceof KannukiError ? error : new KannukiError('KNK-SRV-0018', { details: { trace: id } });
        if (known !== error) this.#onFailure({ trace: id, what: `${kind} of ${subject}`, error });
        const { code, message } = armError(known);
        this.#store.end(id, 'Failed', { code, message }, this.#now());
      } catch (second) {
        // The disk does not take the end of it: the next start does the work again.
        this.#onFailure({ trace: id, what: `${kind} of ${subject}`, error: second });
      }
    }
  }
}
