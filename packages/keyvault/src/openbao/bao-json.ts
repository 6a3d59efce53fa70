import { encodeBase64, parseJsonObject, SecretBytes, textSpans, withoutText } from '@kannuki/core';
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
  const spans = textSpans(body, path);
  if (spans === undefined || spans.length > 1) return undefined;
  const [span] = spans;
  const rest = parseJsonObject(span === undefined ? body : withoutText(body, span));
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
