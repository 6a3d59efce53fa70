import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { parseJsonObject, SecretBytes, textSpans, withoutText } from '@kannuki/core';

/**
 * JSON with secrets in it: JSON.stringify and JSON.parse would make strings of them, and strings cannot be wiped. So a
 * secret goes into the text and out of it as bytes, and only the rest passes through JSON.
 */

const quote = 0x22;
const backslash = 0x5c;

/**
 * JSON of a value in which every `SecretBytes` stands for a string of its UTF-8 bytes.
 * @returns memory of its own: the caller disposes it when it was sent
 * @throws TypeError for a secret that is not UTF-8 (check with `isText` before)
 */
export function encodeJson(value: unknown): SecretBytes {
  const secrets: { readonly mark: string; readonly secret: SecretBytes }[] = [];
  function mark(this: unknown, key: string, plain: unknown): unknown {
    const member: unknown = (this as Record<string, unknown>)[key];
    if (!(member instanceof SecretBytes)) return plain;
    const made = { mark: `secret-${randomUUID()}`, secret: member };
    secrets.push(made);
    return made.mark;
  }
  const text = Buffer.from(JSON.stringify(value, mark), 'utf8');
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { mark: name, secret } of secrets) {
    const at = text.indexOf(name, from);
    parts.push(text.subarray(from, at), escapeString(secret));
    from = at + name.length;
  }
  parts.push(text.subarray(from));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
    part.fill(0);
  }
  return SecretBytes.take(whole);
}

/** Whether a secret can be the value of a JSON string as it is. */
export function isText(secret: SecretBytes): boolean {
  return isUtf8(secret.bytes);
}

function escapeString(secret: SecretBytes): Uint8Array {
  if (!isText(secret)) throw new TypeError('the value is not UTF-8');
  const { bytes } = secret;
  const escaped = new Uint8Array(bytes.length * 6);
  let at = 0;
  for (const byte of bytes) {
    if (byte < 0x20) {
      const digits = byte.toString(16).padStart(4, '0');
      escaped.set([backslash, 0x75, ...Buffer.from(digits, 'latin1')], at);
      at += 6;
    } else {
      if (byte === quote || byte === backslash) escaped[at++] = backslash;
      escaped[at++] = byte;
    }
  }
  const exact = escaped.slice(0, at);
  escaped.fill(0);
  return exact;
}

export interface DecodedJson {
  /** Everything but the secret member. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** The secret member where it is there as a string; the caller disposes it. */
  readonly secret: SecretBytes | undefined;
}

/**
 * Takes the one top-level string member of that name out of a JSON object.
 * @returns undefined where the bytes are no JSON object, or have the member more than once
 */
export function decodeJson(body: Uint8Array, member: string): DecodedJson | undefined {
  const spans = textSpans(body, [member]);
  if (spans === undefined || spans.length > 1) return undefined;
  const span = spans[0];
  if (span === undefined) {
    const rest = parseJsonObject(body);
    // An escaped spelling of the name is seen by JSON only: who writes so hides something.
    return rest === undefined || typeof rest[member] === 'string' ? undefined : { rest, secret: undefined };
  }
  const parsed = parseJsonObject(withoutText(body, span));
  if (parsed === undefined || parsed[member] !== '') return undefined;
  const { [member]: _emptied, ...rest } = parsed;
  const secret = unescapeString(body.subarray(span.start, span.end));
  return secret === undefined ? undefined : { rest, secret };
}

const shortEscapes: Readonly<Record<number, number>> = {
  34: 0x22,
  92: 0x5c,
  47: 0x2f,
  98: 0x08,
  102: 0x0c,
  110: 0x0a,
  114: 0x0d,
  116: 0x09,
};

/** RFC 8259, 7, from bytes to bytes. @returns undefined for what is no JSON string */
function unescapeString(escaped: Uint8Array): SecretBytes | undefined {
  const output = new Uint8Array(escaped.length);
  let write = 0;
  const fail = (): undefined => {
    output.fill(0);
    return undefined;
  };
  for (let read = 0; read < escaped.length; read += 1) {
    const byte = escaped[read] ?? 0;
    if (byte < 0x20) return fail();
    if (byte !== backslash) {
      output[write++] = byte;
      continue;
    }
    read += 1;
    const kind = escaped[read] ?? 0;
    const short = shortEscapes[kind];
    if (short !== undefined) {
      output[write++] = short;
      continue;
    }
    if (kind !== 0x75) return fail();
    let code = hexUnit(escaped, read + 1);
    if (code === undefined) return fail();
    read += 4;
    if (code >= 0xd800 && code <= 0xdfff) {
      const low =
        escaped[read + 1] === backslash && escaped[read + 2] === 0x75 ? hexUnit(escaped, read + 3) : undefined;
      // A lone surrogate is no character and has no UTF-8.
      if (code > 0xdbff || low === undefined || low < 0xdc00 || low > 0xdfff) return fail();
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      read += 6;
    }
    write += writeUtf8(output, write, code);
  }
  const exact = output.slice(0, write);
  output.fill(0);
  return SecretBytes.take(exact);
}

function hexUnit(bytes: Uint8Array, from: number): number | undefined {
  let value = 0;
  for (let at = from; at < from + 4; at += 1) {
    const byte = bytes[at] ?? 0;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    if (digit < 0 || digit > 15 || (byte < 0x41 && digit > 9)) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

function writeUtf8(output: Uint8Array, at: number, code: number): number {
  const bytes =
    code < 0x80
      ? [code]
      : code < 0x800
        ? [0xc0 | (code >> 6), 0x80 | (code & 63)]
        : code < 0x10000
          ? [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)]
          : [0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
  output.set(bytes, at);
  return bytes.length;
}
