import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { KannukiError } from '@kannuki/core';
import { packGroup, unpackReply } from './pack.ts';
import { privateOperations } from './permits.ts';
import { type WorkerReply, type WorkerRequest, type WorkerTask, workerMain } from './worker-source.ts';

export type WorkerValue = Uint8Array<ArrayBuffer> | boolean | undefined;

/** A task with the private key that it needs; the key crosses once, and then goes by its number. */
export interface KeyTask {
  readonly task: WorkerTask;
  readonly key?: { readonly number: number; readonly object: KeyObject };
}

interface Waiting extends KeyTask {
  readonly resolve: (value: WorkerValue) => void;
  readonly reject: (error: KannukiError) => void;
}

/**
 * To hand something to another thread costs a tenth of an RSA operation here: so tasks go in groups, and as many as
 * would else wait. Small enough that the last of a group does not wait long for its answer.
 */
const largestGroup = 16;
/** The group that is being worked on, and one that waits in the worker: it never waits for us. */
const groupsAhead = 2;
const longestQueue = 32_768;

/** A thread that works through groups of tasks. Does not hold the process while it has none. */
class KeyWorker {
  readonly #worker: Worker;
  readonly #groups: (readonly Waiting[])[] = [];
  readonly #known = new Set<number>();
  #isEnding = false;
  isGone = false;

  /** @param onRoom called when it can take another group, and when it is gone */
  constructor(onRoom: () => void) {
    this.#worker = new Worker(`(${workerMain.toString()})()`, { eval: true, name: 'kannuki key work', stdin: false });
    this.#worker.unref();
    this.#worker.on('message', (reply: WorkerReply) => {
      const group = this.#groups.shift() ?? [];
      if (this.#groups.length === 0) this.#worker.unref();
      const values = unpackReply(reply);
      for (const [index, { resolve }] of group.entries()) resolve(values[index]);
      onRoom();
    });
    this.#worker.on('error', () => undefined);
    this.#worker.on('exit', () => {
      this.isGone = true;
      for (const { reject } of this.#groups.splice(0).flat()) reject(this.#endOfWorker());
      onRoom();
    });
  }

  get hasRoom(): boolean {
    return !this.isGone && this.#groups.length < groupsAhead;
  }

  /** Tasks that it has and has not answered. */
  get load(): number {
    return this.#groups.reduce((sum, group) => sum + group.length, 0);
  }

  take(group: readonly Waiting[]): void {
    if (this.#groups.length === 0) this.#worker.ref();
    this.#groups.push(group);
    const fresh = new Map<number, KeyObject>();
    for (const { key } of group) {
      if (key === undefined || this.#known.has(key.number)) continue;
      this.#known.add(key.number);
      fresh.set(key.number, key.object);
    }
    this.#worker.postMessage({ ...packGroup(group), fresh: [...fresh] } satisfies WorkerRequest);
  }

  forget(numbers: readonly number[]): void {
    const known = numbers.filter((number) => this.#known.delete(number));
    if (known.length > 0) this.#worker.postMessage({ forget: known } satisfies WorkerRequest);
  }

  async terminate(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }

  /** Whoever waits must not take it for an answer: nothing is said of the ciphertext. */
  #endOfWorker(): KannukiError {
    if (this.#isEnding) return new KannukiError('KNK-KVT-0027');
    return new KannukiError('KNK-KVT-0019', { details: { vault: 'of this server', call: 'key work' } });
  }
}

/** A few threads for what Node can only do on the thread that asks. They are started when first needed. */
export class KeyWorkers {
  readonly #queue: Waiting[] = [];
  #workers: KeyWorker[] = [];
  #isClosed = false;

  /**
   * @returns undefined where the operation failed
   * @throws KannukiError KNK-KVT-0028 where too many wait already, 0027 at the end, 0019 where a worker died
   */
  async run(task: KeyTask): Promise<WorkerValue> {
    if (this.#isClosed) throw new KannukiError('KNK-KVT-0027');
    if (this.#queue.length >= longestQueue) {
      throw new KannukiError('KNK-KVT-0028', { details: { vault: 'of this server', seconds: 1 } });
    }
    const { promise, resolve, reject } = Promise.withResolvers<WorkerValue>();
    this.#queue.push({ ...task, resolve, reject });
    // After what came in together with it, so that it can go in one group.
    if (this.#queue.length === 1) setImmediate(() => this.#hand());
    return await promise;
  }

  /** Lets go of keys in the workers; what is in their hands is finished. */
  forget(numbers: readonly number[]): void {
    for (const worker of this.#workers) worker.forget(numbers);
  }

  /** What waits fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const workers = this.#workers;
    this.#workers = [];
    for (const { reject } of this.#queue.splice(0)) reject(new KannukiError('KNK-KVT-0027'));
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #hand(): void {
    if (this.#isClosed) return;
    this.#workers = this.#workers.filter(({ isGone }) => !isGone);
    while (this.#queue.length > 0) {
      const worker = this.#leastBusy();
      if (worker === undefined) return;
      // A fair share where little waits, so that all work; else as much as a group holds.
      const share = Math.ceil(this.#queue.length / privateOperations);
      worker.take(this.#queue.splice(0, Math.min(largestGroup, share)));
    }
  }

  #leastBusy(): KeyWorker | undefined {
    const [first] = this.#workers.filter(({ hasRoom }) => hasRoom).sort((left, right) => left.load - right.load);
    if (first !== undefined && first.load === 0) return first;
    if (this.#workers.length >= privateOperations) return first;
    const worker = new KeyWorker(() => this.#hand());
    this.#workers.push(worker);
    return worker;
  }
}
