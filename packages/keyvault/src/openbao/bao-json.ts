import { encodeBase64, SecretBytes } from '@kannuki/core';
import { decodeBase64 } from '../encoding/base64-decode.ts';

/**
 * JSON bodies of OpenBao with one secret deep inside. As in remote/secret-json.ts the secret is put in and taken out as
 * bytes, because strings cannot be wiped; only the rest goes through JSON.
 */

/** Stands for the secret in what is given to `encodeWithSecret`; random-looking enough that no other text has it. */
export const secretPlace = 'kannuki-secret-0c1f6b7a4be54c6c8f1d-place';

/** @returns the body with the secret's base64 (or text, where it is text already) in its place; wiped with dispose */
export function encodeWithSecret(body: object, secret: SecretBytes, form: 'base64' | 'text'): SecretBytes {
  const text = JSON.stringify(body);
  const quoted = `"${secretPlace}"`;
  const at = text.indexOf(quoted);
  if (at < 0 || text.indexOf(secretPlace, at + quoted.length) >= 0) throw new Error('the body has not one place');
  using encoded = form === 'base64' ? encodeBase64(secret) : SecretBytes.copy(secret.bytes);
  const head = Buffer.from(text.slice(0, at + 1), 'utf8');
  const tail = Buffer.from(text.slice(at + quoted.length - 1), 'utf8');
  const whole = Buffer.alloc(head.length + encoded.length + tail.length);
  head.copy(whole);
  whole.set(encoded.bytes, head.length);
  tail.copy(whole, head.length + encoded.length);
  return SecretBytes.take(whole);
}

export interface DecodedAnswer {
  /** Everything; the secret's member is an empty string. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** The bytes between the quotes of the member at the path, undefined where there is no such text. */
  readonly secret: SecretBytes | undefined;
}

/**
 * Takes the text at a path of members out of a JSON object.
 * @param path names of members from the outermost in; the last is the text
 * @returns undefined where the body is not one JSON object or names the path twice
 */
export function decodeWithSecret(body: Uint8Array, path: readonly string[]): DecodedAnswer | undefined {
  const spans = spansAt(body, path);
  if (spans === undefined || spans.length > 1) return undefined;
  const [span] = spans;
  const others = span === undefined ? body : Buffer.concat([body.subarray(0, span.start), body.subarray(span.end)]);
  const rest = parseObject(others);
  if (rest === undefined) return undefined;
  // An escaped spelling of a name ("pl\u0061intext") is seen by JSON only; no OpenBao writes it.
  const seen = memberAt(rest, path);
  if (span === undefined) return typeof seen === 'string' ? undefined : { rest, secret: undefined };
  if (seen !== '') return undefined;
  return { rest, secret: SecretBytes.copy(body.subarray(span.start, span.end)) };
}

/** The secret's base64 as bytes; undefined where it is not canonical. */
export function decodedBase64(secret: SecretBytes): SecretBytes | undefined {
  return decodeBase64(secret.bytes);
}

export function memberAt(fields: unknown, path: readonly string[]): unknown {
  let at = fields;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const quote = 0x22;
const backslash = 0x5c;
const maximumDepth = 64;

/** Where the contents of strings stand that are the value at the path; undefined for what is no JSON in its outline. */
function spansAt(body: Uint8Array, path: readonly string[]): readonly Span[] | undefined {
  const names = path.map((name) => Buffer.from(name, 'utf8'));
  const spans: Span[] = [];
  // How many of the outer members on the way to here are those of the path; -1 inside anything else.
  const matched: number[] = [];
  let member = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    const here = matched.at(-1) ?? -1;
    if (byte === 0x7b || byte === 0x5b) {
      if (matched.length === maximumDepth) return undefined;
      const outermost = matched.length === 0;
      matched.push(byte === 0x5b ? -1 : outermost ? 0 : member ? here + 1 : -1);
      member = false;
    } else if (byte === 0x7d || byte === 0x5d) {
      if (matched.pop() === undefined) return undefined;
      member = false;
    } else if (byte === 0x2c) member = false;
    else if (byte === quote) {
      const end = endOfString(body, at + 1);
      if (end === undefined) return undefined;
      if (nextMeaningful(body, end + 1) === 0x3a) {
        member = here >= 0 && here < names.length && names[here]?.equals(body.subarray(at + 1, end)) === true;
      } else if (member && here === names.length - 1) spans.push({ start: at + 1, end });
      at = end;
    }
  }
  return spans;
}

function endOfString(body: Uint8Array, from: number): number | undefined {
  for (let at = from; at < body.length; at += 1) {
    if (body[at] === backslash) at += 1;
    else if (body[at] === quote) return at;
  }
  return undefined;
}

function nextMeaningful(body: Uint8Array, from: number): number | undefined {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09 || body[at] === 0x0a || body[at] === 0x0d) at += 1;
  return body[at];
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
