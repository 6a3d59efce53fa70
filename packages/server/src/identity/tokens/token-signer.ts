import { hash, type KeyObject } from 'node:crypto';
import { withDigestInfo } from '@kannuki/keyvault/embedded/key-work/digest-encoding';
import { KeyWorkers } from '@kannuki/keyvault/embedded/key-work/key-workers';

/** RSA_PKCS1_PADDING, as OpenSSL numbers it. */
const pkcs1 = 1;

/**
 * RS256 (RFC 7518, 3.3) off the event loop, in groups: when all VMs of a house start at once, to hand each signature to
 * another thread by itself would cost as much as to make it.
 */
export class TokenSigner {
  readonly #workers = new KeyWorkers();
  /** Workers know keys by number; one that signs no more is let go of with its last use. */
  #current: { readonly kid: string; readonly number: number } | undefined;

  async sign(key: { readonly kid: string; readonly privateKey: KeyObject }, input: string): Promise<Buffer> {
    const { kid, privateKey } = key;
    const digest = hash('sha256', input, 'buffer');
    const data = withDigestInfo('sha256', digest);
    const task = { kind: 'rsaSign', padding: pkcs1, data } as const;
    const value = await this.#workers.run({ task, key: { number: this.#numberOf(kid), object: privateKey } });
    if (!(value instanceof Uint8Array)) throw new Error('a token could not be signed');
    return Buffer.from(value.buffer, value.byteOffset, value.length);
  }

  async close(): Promise<void> {
    await this.#workers.close();
  }

  #numberOf(kid: string): number {
    if (this.#current?.kid !== kid) {
      if (this.#current !== undefined) this.#workers.forget([this.#current.number]);
      this.#current = { kid, number: (this.#current?.number ?? 0) + 1 };
    }
    return this.#current.number;
  }
}
