import { randomBytes, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

/**
 * Key material in memory: bytes that cannot be printed by accident and that are wiped when they are no longer needed.
 * Never turn the content into a string: strings cannot be wiped (rule 5 of ARCHITECTURE.md).
 * @example using passphrase = SecretBytes.take(buffer);
 */
export class SecretBytes implements Disposable {
  #bytes: Uint8Array | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes ownership: the given array is the storage and is wiped on dispose. */
  static take(bytes: Uint8Array): SecretBytes {
    return new SecretBytes(bytes);
  }

  /** Copies; the caller still owns (and must wipe) what it passed. */
  static copy(bytes: Uint8Array): SecretBytes {
    // Memory of its own outside V8's heap: the engine keeps arrays of up to 64 bytes inside, and leaves a copy behind
    // wherever it moves them.
    const own = new Uint8Array(new ArrayBuffer(bytes.length));
    own.set(bytes);
    return new SecretBytes(own);
  }

  static random(length: number): SecretBytes {
    return new SecretBytes(randomBytes(length));
  }

  /** The bytes themselves, valid until dispose. Do not keep a reference. */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new Error('secret was used after it was wiped');
    return this.#bytes;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Constant time in the content; lengths may be learned. */
  equals(other: SecretBytes): boolean {
    return this.length === other.length && timingSafeEqual(this.bytes, other.bytes);
  }

  [Symbol.dispose](): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
