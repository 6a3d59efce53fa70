import { setImmediate } from 'node:timers/promises';

/** What one write will do, found out beforehand against the committed state of the database. */
export interface Change<Result> {
  readonly result: Result;
  /** MACs that leave the inventory, and those that enter it. */
  readonly removed: readonly Uint8Array[];
  readonly added: readonly Uint8Array[];
  /** Runs inside the transaction; must not wait. */
  readonly apply: () => void;
}

interface Pending {
  readonly lock: string | null;
  readonly prepare: () => Promise<Change<unknown>>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

const largestBatch = 64;

/**
 * Lets writes to different objects share one COMMIT, and so one fsync. A batch is prepared while nothing of it can be
 * seen, then written in one transaction without a wait inside, and every caller is told after the commit. Writes to the
 * same object go into batches of their own, in the order they came.
 */
export class WriteQueue {
  readonly #commit: (changes: readonly Change<unknown>[]) => void;
  #pending: Pending[] = [];
  #draining: Promise<void> | undefined;

  /** @param commit writes all of them or, when it throws, none */
  constructor(commit: (changes: readonly Change<unknown>[]) => void) {
    this.#commit = commit;
  }

  /** @param lock names what is written; null waits for all before and holds up all after */
  run<Result>(lock: string | null, prepare: () => Promise<Change<Result>>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const write: Pending = { lock, prepare, resolve: (result) => resolve(result as Result), reject };
      this.#pending.push(write);
      this.#draining ??= this.#drain();
    });
  }

  /** Waits for writes that have begun. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      // Everything that arrived in the same turn of the event loop joins the batch.
      await setImmediate();
      await this.#write(this.#take());
    }
    this.#draining = undefined;
  }

  #take(): readonly Pending[] {
    const [first] = this.#pending;
    const batch: Pending[] = [];
    const rest: Pending[] = [];
    const held = new Set<string | null>();
    let closed = false;
    for (const write of this.#pending) {
      const isAlone = write.lock === null && write !== first;
      if (closed || isAlone || held.has(write.lock) || batch.length >= largestBatch) rest.push(write);
      else batch.push(write);
      closed ||= write.lock === null;
      held.add(write.lock);
    }
    this.#pending = rest;
    return batch;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const outcomes = await Promise.allSettled(batch.map(async ({ prepare }) => prepare()));
    const ready: { readonly write: Pending; readonly change: Change<unknown> }[] = [];
    for (const [index, write] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === 'fulfilled') ready.push({ write, change: outcome.value });
      else write.reject(outcome?.reason);
    }
    if (ready.length === 0) return;
    try {
      this.#commit(ready.map(({ change }) => change));
    } catch (error) {
      for (const { write } of ready) write.reject(error);
      return;
    }
    for (const { write, change } of ready) write.resolve(change.result);
  }
}
