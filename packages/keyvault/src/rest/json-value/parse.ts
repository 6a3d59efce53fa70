import { isUtf8 } from 'node:buffer';
import { SecretBytes } from '@kannuki/core';

/** Objects are maps: a member called `__proto__` is a member like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | number | string | SecretBytes | readonly JsonValue[] | JsonObject;

/** Which members hold secrets: their strings come out as bytes (UTF-8, escapes undone) and are never JS strings. */
export type BytePlan = ReadonlyMap<string, 'bytes' | BytePlan>;

/** A JSON text that was read. Dispose it to wipe what the plan kept as bytes. */
export interface ParsedJson extends Disposable {
  readonly root: JsonValue;
}

export const maximumJsonDepth = 16;

/**
 * JSON (RFC 8259) from bytes, with the strings of secret members kept as bytes. Of two members of one name the last
 * counts, as with JSON.parse. Unlike it: text that has no UTF-8 form (half of a surrogate pair) is refused, since a
 * secret must not be changed in silence.
 * @returns undefined where it is not JSON, is deeper than `maximumJsonDepth` or holds broken text
 */
export function parseJson(body: Uint8Array, plan: BytePlan | null): ParsedJson | undefined {
  if (!isUtf8(body)) return undefined;
  const reader = new JsonReader(body);
  try {
    const root = reader.document(plan);
    return { root, [Symbol.dispose]: () => reader.wipe() };
  } catch (error) {
    reader.wipe();
    if (error instanceof NoJson) return undefined;
    throw error;
  }
}

class NoJson extends Error {}

const quote = 0x22;
const backslash = 0x5c;
const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** Longer texts of a number are nobody's. */
const maximumNumberText = 400;
/** First byte of a UTF-8 sequence, by how many follow. */
const leadingByte = [0, 0xc0, 0xe0, 0xf0];
const words = new Map<number, readonly [Buffer, null | boolean]>([
  [0x6e, [Buffer.from('null'), null]],
  [0x74, [Buffer.from('true'), true]],
  [0x66, [Buffer.from('false'), false]],
]);
const shortEscapes = new Map([
  [quote, quote],
  [backslash, backslash],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

class JsonReader {
  readonly #bytes: Buffer;
  readonly #secrets: SecretBytes[] = [];
  #at = 0;

  constructor(body: Uint8Array) {
    this.#bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }

  document(plan: BytePlan | null): JsonValue {
    const root = this.#value(plan, 0);
    this.#skipSpace();
    if (this.#at !== this.#bytes.length) throw new NoJson();
    return root;
  }

  wipe(): void {
    for (const secret of this.#secrets) secret[Symbol.dispose]();
  }

  #value(plan: BytePlan | 'bytes' | null, depth: number): JsonValue {
    if (depth > maximumJsonDepth) throw new NoJson();
    this.#skipSpace();
    const first = this.#bytes[this.#at];
    if (first === quote) return plan === 'bytes' ? this.#secretText() : this.#text();
    if (first === 0x7b) return this.#object(plan, depth);
    if (first === 0x5b) return this.#array(plan, depth);
    const word = words.get(first ?? -1);
    return word === undefined ? this.#number() : this.#word(word);
  }

  /** What stands where a secret is expected is treated as one, however deep: `{"value":{"a":"secret"}}` is refused later. */
  #object(plan: BytePlan | 'bytes' | null, depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#at += 1;
    if (this.#takes(0x7d)) return members;
    do {
      this.#skipSpace();
      if (this.#bytes[this.#at] !== quote) throw new NoJson();
      const name = this.#text();
      if (!this.#takes(0x3a)) throw new NoJson();
      members.set(name, this.#value(plan === 'bytes' ? plan : (plan?.get(name) ?? null), depth + 1));
    } while (this.#takes(0x2c));
    if (!this.#takes(0x7d)) throw new NoJson();
    return members;
  }

  #array(plan: BytePlan | 'bytes' | null, depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.#at += 1;
    if (this.#takes(0x5d)) return items;
    do items.push(this.#value(plan, depth + 1));
    while (this.#takes(0x2c));
    if (!this.#takes(0x5d)) throw new NoJson();
    return items;
  }

  #word([text, meaning]: readonly [Buffer, null | boolean]): null | boolean {
    const end = this.#at + text.length;
    if (!text.equals(this.#bytes.subarray(this.#at, end))) throw new NoJson();
    this.#at = end;
    return meaning;
  }

  #number(): number {
    const start = this.#at;
    while (isNumberByte(this.#bytes[this.#at])) this.#at += 1;
    if (this.#at - start > maximumNumberText) throw new NoJson();
    const text = this.#bytes.toString('latin1', start, this.#at);
    if (!number.test(text)) throw new NoJson();
    return Number(text);
  }

  #text(): string {
    const start = this.#at + 1;
    const end = this.#endOfText(start);
    const isPlain = this.#isPlain(start, end);
    this.#at = end + 1;
    if (isPlain) return this.#bytes.toString('utf8', start, end);
    const bytes = Buffer.alloc(end - start);
    return bytes.toString('utf8', 0, this.#unescape(start, end, bytes));
  }

  #secretText(): SecretBytes {
    const start = this.#at + 1;
    const end = this.#endOfText(start);
    const whole = new Uint8Array(end - start);
    const scratch = SecretBytes.take(whole);
    this.#secrets.push(scratch);
    const length = this.#unescape(start, end, whole);
    this.#at = end + 1;
    if (length === whole.length) return scratch;
    const secret = SecretBytes.copy(whole.subarray(0, length));
    this.#secrets.push(secret);
    return secret;
  }

  /** Where the closing quote stands. */
  #endOfText(from: number): number {
    for (let at = from; at < this.#bytes.length; at += 1) {
      const byte = this.#bytes[at] ?? 0;
      if (byte === quote) return at;
      if (byte === backslash) at += 1;
      else if (byte < 0x20) throw new NoJson();
    }
    throw new NoJson();
  }

  #isPlain(start: number, end: number): boolean {
    for (let at = start; at < end; at += 1) if (this.#bytes[at] === backslash) return false;
    return true;
  }

  /** Never longer than its escaped form. @returns how many bytes of `output` are used */
  #unescape(start: number, end: number, output: Uint8Array): number {
    let write = 0;
    for (let read = start; read < end; ) {
      const byte = this.#bytes[read] ?? 0;
      if (byte !== backslash) {
        output[write] = byte;
        write += 1;
        read += 1;
        continue;
      }
      const letter = this.#bytes[read + 1] ?? 0;
      if (letter === 0x75) {
        const point = this.#codePoint(read, end);
        write = writeCodePoint(point, output, write);
        read += point > 0xffff ? 12 : 6;
        continue;
      }
      const short = shortEscapes.get(letter);
      if (short === undefined) throw new NoJson();
      output[write] = short;
      write += 1;
      read += 2;
    }
    return write;
  }

  #codePoint(at: number, end: number): number {
    const unit = this.#codeUnit(at, end);
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    const low = this.#codeUnit(at + 6, end);
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) throw new NoJson();
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  }

  /** Four hexadecimal digits behind `\u` at `at`. */
  #codeUnit(at: number, end: number): number {
    if (at + 6 > end || this.#bytes[at] !== backslash || this.#bytes[at + 1] !== 0x75) throw new NoJson();
    let unit = 0;
    for (let digit = at + 2; digit < at + 6; digit += 1) unit = unit * 16 + hexadecimal(this.#bytes[digit] ?? 0);
    return unit;
  }

  #takes(byte: number): boolean {
    this.#skipSpace();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at += 1;
    }
  }
}

function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;
}

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x57;
  throw new NoJson();
}

function writeCodePoint(point: number, output: Uint8Array, at: number): number {
  if (point < 0x80) {
    output[at] = point;
    return at + 1;
  }
  const tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  output[at] = (leadingByte[tail] ?? 0) | (point >> (6 * tail));
  for (let step = 1; step <= tail; step += 1) output[at + step] = 0x80 | ((point >> (6 * (tail - step))) & 0x3f);
  return at + tail + 1;
}
