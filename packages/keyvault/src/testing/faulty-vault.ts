import { KannukiError, type SecretBytes } from '@kannuki/core';
import type { KeyInfo, SecretAttributes, StoredSecret, VaultPort, WrapAlgorithm, WrappedKey } from '../port.ts';

/** Stands before a real vault and does what a bad day or a bad vault does. What is not overridden goes through. */
export class VaultInFront implements VaultPort {
  readonly behind: VaultPort;

  constructor(behind: VaultPort) {
    this.behind = behind;
  }

  get vaultUri(): string {
    return this.behind.vaultUri;
  }

  keyInfo(keyId: string): Promise<KeyInfo> {
    return this.behind.keyInfo(keyId);
  }

  wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    return this.behind.wrapKey(keyId, algorithm, value);
  }

  unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    return this.behind.unwrapKey(keyId, algorithm, wrapped);
  }

  setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    return this.behind.setSecret(name, value, attributes);
  }

  getSecret(secretId: string): Promise<StoredSecret> {
    return this.behind.getSecret(secretId);
  }

  disableSecret(name: string): Promise<void> {
    return this.behind.disableSecret(name);
  }
}

/** When the call that breaks breaks: before the vault hears of it, or after it did the work and the answer is lost. */
export type FailureMoment = 'before' | 'after';

/** Fails at the n-th port call (counted from 1) and at every one after it, as a vault does that was killed. */
export class DyingVault extends VaultInFront {
  readonly #failAt: number;
  readonly #moment: FailureMoment;
  calls: string[] = [];

  constructor(behind: VaultPort, failAt: number, moment: FailureMoment = 'before') {
    super(behind);
    this.#failAt = failAt;
    this.#moment = moment;
  }

  override keyInfo(keyId: string): Promise<KeyInfo> {
    return this.#counted('keyInfo', () => super.keyInfo(keyId));
  }

  override wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    return this.#counted('wrapKey', () => super.wrapKey(keyId, algorithm, value));
  }

  override unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    return this.#counted('unwrapKey', () => super.unwrapKey(keyId, algorithm, wrapped));
  }

  override setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    return this.#counted('setSecret', () => super.setSecret(name, value, attributes));
  }

  override getSecret(secretId: string): Promise<StoredSecret> {
    return this.#counted('getSecret', () => super.getSecret(secretId));
  }

  override disableSecret(name: string): Promise<void> {
    return this.#counted('disableSecret', () => super.disableSecret(name));
  }

  async #counted<Result>(call: string, action: () => Promise<Result>): Promise<Result> {
    this.calls.push(call);
    const number = this.calls.length;
    const gone = new KannukiError('KNK-KVT-0001', {
      details: { vault: this.vaultUri, reason: 'the vault was killed' },
    });
    if (number > this.#failAt || (number === this.#failAt && this.#moment === 'before')) throw gone;
    const result = await action();
    if (number === this.#failAt) throw gone;
    return result;
  }
}
