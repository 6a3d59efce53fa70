import type { OpenVault } from '@kannuki/keyvault';

/** The vaults that one command needs, each opened once and all closed at its end. */
export class GuestVaults implements AsyncDisposable {
  readonly #opened = new Map<string, Promise<OpenVault>>();
  readonly #open: (url: string) => Promise<OpenVault>;
  readonly #instead: string | undefined;

  /** @param instead used for every volume in the place of what its journal says */
  constructor(open: (url: string) => Promise<OpenVault>, instead?: string) {
    this.#open = open;
    this.#instead = instead;
  }

  /** @throws what opening throws */
  of(vaultUri: string): Promise<OpenVault> {
    const url = this.#instead ?? vaultUri;
    const opened = this.#opened.get(url) ?? this.#open(url);
    this.#opened.set(url, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const opening of this.#opened.values()) {
      const [result] = await Promise.allSettled([opening]);
      if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]();
    }
  }
}
