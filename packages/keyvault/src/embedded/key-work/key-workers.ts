import { Worker } from 'node:worker_threads';
import { Permits, privateOperations } from './permits.ts';
import { type WorkerReply, type WorkerTask, workerMain } from './worker-source.ts';

interface Waiting {
  readonly resolve: (value: WorkerReply['value']) => void;
}

/** A thread that does one task at a time. Does not hold the process while it has none. */
class KeyWorker {
  readonly #worker: Worker;
  #waiting: Waiting | undefined;
  #lastId = 0;
  isGone = false;

  constructor() {
    this.#worker = new Worker(`(${workerMain.toString()})()`, { eval: true, name: 'kannuki key work', stdin: false });
    this.#worker.unref();
    this.#worker.on('message', ({ id, value }: WorkerReply) => {
      if (id === this.#lastId) this.#settle(value);
    });
    this.#worker.on('error', () => undefined);
    this.#worker.on('exit', () => {
      this.isGone = true;
      this.#settle(undefined);
    });
  }

  run(task: WorkerTask): Promise<WorkerReply['value']> {
    return new Promise((resolve) => {
      this.#waiting = { resolve };
      this.#lastId += 1;
      this.#worker.ref();
      this.#worker.postMessage({ id: this.#lastId, task });
    });
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(value: WorkerReply['value']): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#worker.unref();
    waiting?.resolve(value);
  }
}

/** A few threads for what Node can only do on the thread that asks. They are started when first needed. */
export class KeyWorkers {
  readonly #permits = new Permits(privateOperations, 32_768);
  readonly #idle: KeyWorker[] = [];
  readonly #all = new Set<KeyWorker>();

  /** @returns undefined where the operation failed */
  run(task: WorkerTask): Promise<WorkerReply['value']> {
    return this.#permits.run(async () => {
      const worker = this.#takeIdle() ?? this.#start();
      try {
        return await worker.run(task);
      } finally {
        if (worker.isGone) this.#all.delete(worker);
        else this.#idle.push(worker);
      }
    });
  }

  async close(): Promise<void> {
    const workers = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  #takeIdle(): KeyWorker | undefined {
    for (;;) {
      const worker = this.#idle.pop();
      if (worker?.isGone !== true) return worker;
      this.#all.delete(worker);
    }
  }

  #start(): KeyWorker {
    const worker = new KeyWorker();
    this.#all.add(worker);
    return worker;
  }
}
