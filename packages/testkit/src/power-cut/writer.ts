import { fileContent, type PromisedFile, writePromised } from './files.ts';
import type { Random } from './random.ts';

/** A program in the VM that goes on writing: each file is promised, and on record as promised, once it is fsynced. */
export class Writer {
  readonly #folder: string;
  readonly #promise: (file: PromisedFile) => Promise<void>;
  #stopped = false;
  #paused = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(folder: string, promise: (file: PromisedFile) => Promise<void>) {
    this.#folder = folder;
    this.#promise = promise;
  }

  async run(random: Random): Promise<void> {
    for (let count = 0; !this.#stopped; count++) {
      if (!this.#paused) {
        this.#idle = this.#writeOne(random, count);
        await this.#idle;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A service that is told to stop: afterwards it has no file open. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#idle;
  }

  goOn(): void {
    this.#paused = false;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #writeOne(random: Random, count: number): Promise<void> {
    await this.#promise(await writePromised(this.#folder, `w${count}`, fileContent(random, random.between(1, 32768))));
  }
}
