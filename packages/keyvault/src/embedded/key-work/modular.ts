import { fromInteger, toInteger } from './curves.ts';

const limbBits = 24;
const limb = 2 ** limbBits;

/**
 * Multiplication modulo an odd number in Montgomery's form, in a time that does not depend on the factors: no branch and
 * no index looks at them, unlike in BigInt. Numbers are arrays of 24-bit limbs, lowest first, so that all sums stay
 * exact in a double (below 2^50), and can be wiped.
 */
export class Modulus {
  readonly #limbs: Float64Array;
  /** -n^-1 modulo one limb. */
  readonly #inverse: number;
  readonly #square: Float64Array;
  readonly #bytes: number;

  constructor(modulus: bigint, bytes: number) {
    this.#bytes = bytes;
    const count = Math.ceil((bytes * 8 + 1) / limbBits);
    this.#limbs = limbsOf(fromInteger(modulus, bytes), count);
    let inverse = 1n;
    // Newton's iteration doubles the number of right bits.
    for (let bits = 1; bits < limbBits; bits *= 2)
      inverse = BigInt.asUintN(limbBits, inverse * (2n - modulus * inverse));
    this.#inverse = Number(BigInt.asUintN(limbBits, -inverse));
    const radix = 1n << BigInt(count * limbBits);
    this.#square = limbsOf(fromInteger((radix * radix) % modulus, bytes), count);
  }

  /** Reads a number below the modulus, and brings it into Montgomery's form. */
  enter(bytes: Uint8Array): Float64Array {
    const plain = limbsOf(bytes, this.#limbs.length);
    const entered = this.multiply(plain, this.#square);
    plain.fill(0);
    return entered;
  }

  /** The number itself, big endian. */
  leave(number: Float64Array): Buffer {
    const one = new Float64Array(number.length);
    one[0] = 1;
    const plain = this.multiply(number, one);
    const bytes = Buffer.alloc(this.#bytes);
    for (let at = 0; at < bytes.length; at += 1) {
      const word = plain[Math.floor((at * 8) / limbBits)] ?? 0;
      bytes[bytes.length - 1 - at] = Math.floor(word / 2 ** ((at * 8) % limbBits)) % 256;
    }
    plain.fill(0);
    return bytes;
  }

  add(left: Float64Array, right: Float64Array): Float64Array {
    const sum = new Float64Array(left.length + 1);
    let carry = 0;
    for (let at = 0; at < left.length; at += 1) {
      const value = (left[at] ?? 0) + (right[at] ?? 0) + carry;
      carry = Math.floor(value / limb);
      sum[at] = value - carry * limb;
    }
    sum[left.length] = carry;
    return this.#reduced(sum);
  }

  multiply(left: Float64Array, right: Float64Array): Float64Array {
    const n = this.#limbs;
    const count = n.length;
    const sum = new Float64Array(count + 2);
    for (let row = 0; row < count; row += 1) {
      const factor = left[row] ?? 0;
      let carry = 0;
      for (let at = 0; at < count; at += 1) {
        const value = (sum[at] ?? 0) + factor * (right[at] ?? 0) + carry;
        carry = Math.floor(value / limb);
        sum[at] = value - carry * limb;
      }
      const top = (sum[count] ?? 0) + carry;
      const product = (sum[0] ?? 0) * this.#inverse;
      const multiple = product - Math.floor(product / limb) * limb;
      carry = Math.floor(((sum[0] ?? 0) + multiple * (n[0] ?? 0)) / limb);
      for (let at = 1; at < count; at += 1) {
        const value = (sum[at] ?? 0) + multiple * (n[at] ?? 0) + carry;
        carry = Math.floor(value / limb);
        sum[at - 1] = value - carry * limb;
      }
      const last = top + carry;
      sum[count - 1] = last % limb;
      sum[count] = Math.floor(last / limb);
    }
    return this.#reduced(sum.subarray(0, count + 1));
  }

  /** Takes the modulus off once where the number is not below it, without a branch. Wipes what it is given. */
  #reduced(number: Float64Array): Float64Array {
    const n = this.#limbs;
    const less = new Float64Array(n.length);
    let borrow = 0;
    for (let at = 0; at < n.length; at += 1) {
      const value = (number[at] ?? 0) - (n[at] ?? 0) - borrow + limb;
      less[at] = value % limb;
      borrow = 1 - Math.floor(value / limb);
    }
    // 1 where the subtraction went below zero: then the number itself is the result.
    const keep = Math.max(0, borrow - (number[n.length] ?? 0));
    for (let at = 0; at < n.length; at += 1) less[at] = keep * (number[at] ?? 0) + (1 - keep) * (less[at] ?? 0);
    number.fill(0);
    return less;
  }
}

function limbsOf(bytes: Uint8Array, count: number): Float64Array {
  const limbs = new Float64Array(count);
  for (let at = 0; at < bytes.length; at += 1) {
    const index = Math.floor((at * 8) / limbBits);
    limbs[index] = (limbs[index] ?? 0) + (bytes[bytes.length - 1 - at] ?? 0) * 2 ** ((at * 8) % limbBits);
  }
  return limbs;
}

/** By Euclid's algorithm, whose time depends on the number: only for numbers that are public or blinded. */
export function publicInverse(number: Uint8Array, modulus: bigint): bigint {
  let [low, high] = [modulus, toInteger(number)];
  let [lowFactor, highFactor] = [0n, 1n];
  while (high > 0n) {
    const quotient = low / high;
    [low, high] = [high, low - quotient * high];
    [lowFactor, highFactor] = [highFactor, lowFactor - quotient * highFactor];
  }
  return ((lowFactor % modulus) + modulus) % modulus;
}
