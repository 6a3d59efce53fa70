import { randomUUID } from 'node:crypto';
import type { OnFailure } from '../http/error-reply.ts';
import type { VaultRegistry } from './vault-registry.ts';

export interface VaultUpkeepOptions {
  /** `EmbeddedVaults` is one. Each call is bounded: what is left over comes the next time. */
  readonly vaults: {
    /** REQ-354: deleted keys and secrets whose day has come. */
    purgeDue(now: number): Promise<unknown>;
    /** REQ-340: keys that their policy wants rotated. */
    runRotations(now: number): Promise<unknown>;
  };
  readonly registry: Pick<VaultRegistry, 'purgeDue'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onFailure: OnFailure;
}

const everyMilliseconds = 60_000;

/** What vaults do by themselves when its time has come. */
export class VaultUpkeep {
  readonly #options: VaultUpkeepOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: VaultUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.run(), everyMilliseconds);
    this.#timer.unref();
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** One at a time. Never throws. */
  run(): Promise<void> {
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #runAll(): Promise<void> {
    const { vaults, registry, now } = this.#options;
    await this.#attempt('purge deleted keys and secrets', () => vaults.purgeDue(now()));
    await this.#attempt('rotate keys', () => vaults.runRotations(now()));
    await this.#attempt('purge deleted vaults', async () => {
      for (const { vault, error } of await registry.purgeDue()) this.#say(`purge the vault ${vault}`, error);
    });
  }

  async #attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#say(what, error);
    }
  }

  #say(what: string, error: unknown): void {
    this.#options.onFailure({ trace: randomUUID(), what, error });
  }
}
