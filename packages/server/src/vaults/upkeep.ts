import { randomUUID } from 'node:crypto';
import type { AuditPort, KeyEvent, SealableVaults } from '@kannuki/keyvault';
import type { OnFailure } from '../http/error-reply.ts';
import type { VaultRegistry } from './vault-registry.ts';

export interface VaultUpkeepOptions {
  readonly sealable: SealableVaults;
  readonly registry: Pick<VaultRegistry, 'finishCreations' | 'purgeDue' | 'find'>;
  readonly audit: AuditPort;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onFailure: OnFailure;
}

const everyMilliseconds = 60_000;

/** What is done by itself when its time has come: REQ-340, 354, 355. Each run is bounded; what is left over comes the next time. */
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
    const { sealable, registry, now } = this.#options;
    // While they are sealed nothing can be done; what is due stays due.
    if (sealable.isSealed) return;
    await this.#attempt('finish the making of vaults', async () => {
      for (const { vault, error } of await registry.finishCreations()) this.#say(`make the vault ${vault}`, error);
    });
    await this.#attempt('purge deleted keys and secrets', async () => {
      const { failures } = await sealable.vaults().purgeDue(now());
      for (const { vault, collection, name, error } of failures)
        this.#say(`purge ${vault}/${collection}/${name}`, error);
    });
    await this.#attempt('rotate keys', async () => {
      // A deleted vault stands still.
      const isServed = (vault: string): boolean => registry.find(vault) !== undefined;
      const { failures } = await sealable.vaults().runRotations(now(), isServed, (event) => this.#record(event));
      for (const { vault, name, error } of failures) this.#say(`rotate ${vault}/keys/${name}`, error);
    });
    await this.#attempt('purge deleted vaults', async () => {
      for (const { vault, error } of await registry.purgeDue()) this.#say(`purge the vault ${vault}`, error);
    });
  }

  /** REQ-341: whoever wants to know of them reads the audit log. */
  async #record({ kind, vault, name, version }: KeyEvent): Promise<void> {
    await this.#options.audit.append({
      time: this.#options.now(),
      requestId: randomUUID(),
      operation: kind,
      vault,
      object: `keys/${name}/${version}`,
      objectId: 'server:rotation',
      applicationId: null,
      address: 'local',
      status: 200,
      error: null,
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
