/**
 * JSON from places we do not trust, read so that it can be written back the way it was: members keep their order
 * (JavaScript objects move number-like names to the front), numbers keep their digits, and names that JavaScript gives
 * a meaning (`__proto__`) are plain names. Stricter than RFC 8259: no name twice in one object, nesting bounded.
 */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A number as it was written, so that 64-bit values survive a round trip. */
export interface JsonNumber {
  readonly digits: string;
}

/** Why a text is not acceptable JSON. Callers turn it into their own KannukiError. */
export class JsonProblem extends Error {
  override readonly name = 'JsonProblem';
}

/** Nesting that json-c, and so cryptsetup, accepts. */
const maxDepth = 32;

/**
 * Parses one JSON value that must fill the whole text (white space around it is allowed).
 * Time and memory are linear in the text's length, which the caller bounds.
 * @throws JsonProblem
 */
export function parseJson(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** Writes compactly, with members in their order and `/` not escaped: the form that cryptsetup writes. */
export function printJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (isObject(value)) {
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${printJson(member)}`).join(',')}}`;
  }
  if (isNumber(value)) return value.digits;
  return `[${value.map(printJson).join(',')}]`;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isNumber(value: JsonValue | undefined): value is JsonNumber {
  return typeof value === 'object' && value !== null && 'digits' in value;
}

const space = /[ \t\r\n]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    this.#match(space);
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth + 1);
    if (first === '[') return this.#array(depth + 1);
    if (first === '"') return this.#string();
    const name = this.#match(word);
    if (name !== undefined) return name === 'null' ? null : name === 'true';
    const digits = this.#match(number);
    if (digits === undefined) this.#fail('a value is expected');
    return { digits };
  }

  end(): void {
    this.#match(space);
    if (this.#at < this.#text.length) this.#fail('text after the end');
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.#open(depth);
    if (this.#take('}')) return members;
    do {
      this.#match(space);
      const name = this.#string();
      if (members.has(name)) this.#fail(`the name ${JSON.stringify(name.slice(0, 40))} comes twice`);
      if (!this.#take(':')) this.#fail('":" is expected');
      members.set(name, this.value(depth));
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail('"," or "}" is expected');
    return members;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#open(depth);
    if (this.#take(']')) return items;
    do items.push(this.value(depth));
    while (this.#take(','));
    if (!this.#take(']')) this.#fail('"," or "]" is expected');
    return items;
  }

  #open(depth: number): void {
    if (depth > maxDepth) this.#fail(`nested deeper than ${maxDepth}`);
    this.#at += 1;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') this.#fail('a string is expected');
    // Found by hand, not by a pattern: a pattern with choices needs stack in proportion to the string.
    let end = this.#at + 1;
    while (this.#text[end] !== '"') {
      if (end >= this.#text.length) this.#fail('a string without end');
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    try {
      const value = JSON.parse(this.#text.slice(this.#at, end + 1)) as string;
      this.#at = end + 1;
      return value;
    } catch {
      this.#fail('a string with a character or escape that JSON does not have');
    }
  }

  #take(character: string): boolean {
    this.#match(space);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(what: string): never {
    throw new JsonProblem(`${what} at character ${this.#at}`);
  }
}
