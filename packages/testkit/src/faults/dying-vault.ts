import { KannukiError } from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';

/** `before`: the call never reaches the vault; `after`: the vault does it, and its answer is lost. */
export type WayOfDying = 'before' | 'after';

/** A vault that cannot be reached any more from one of its calls on. What it did before is real. */
export class DyingVault implements VaultPort {
  readonly #vault: VaultPort;
  readonly #dies: WayOfDying;
  readonly #atCall: number;
  #calls = 0;
  lastCall = '';

  /** @param atCall 1: the first */
  constructor(vault: VaultPort, dies: WayOfDying, atCall: number) {
    this.#vault = vault;
    this.#dies = dies;
    this.#atCall = atCall;
  }

  get vaultUri(): string {
    return this.#vault.vaultUri;
  }

  get wasReached(): boolean {
    return this.#calls >= this.#atCall;
  }

  keyInfo: VaultPort['keyInfo'] = (...args) => this.#call('keyInfo', () => this.#vault.keyInfo(...args));
  wrapKey: VaultPort['wrapKey'] = (...args) => this.#call('wrapKey', () => this.#vault.wrapKey(...args));
  unwrapKey: VaultPort['unwrapKey'] = (...args) => this.#call('unwrapKey', () => this.#vault.unwrapKey(...args));
  setSecret: VaultPort['setSecret'] = (...args) => this.#call('setSecret', () => this.#vault.setSecret(...args));
  disableSecret: VaultPort['disableSecret'] = (...args) =>
    this.#call('disableSecret', () => this.#vault.disableSecret(...args));
  getSecret: VaultPort['getSecret'] = (...args) => this.#call('getSecret', () => this.#vault.getSecret(...args));

  async #call<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
    this.#calls++;
    this.lastCall = name;
    const isDead = this.#calls >= this.#atCall;
    if (isDead && this.#dies === 'before') throw this.#unreachable();
    const result = await action();
    if (isDead) throw this.#unreachable();
    return result;
  }

  #unreachable(): KannukiError {
    return new KannukiError('KNK-KVT-0001', { details: { vault: this.vaultUri, reason: 'connection refused' } });
  }
}
