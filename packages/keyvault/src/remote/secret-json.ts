import { encodeBase64, type SecretBytes } from '@kannuki/core';
import { decodeBase64 } from '../encoding/base64-decode.ts';

/**
 * JSON bodies whose top-level member `value` is a secret. JSON.stringify and JSON.parse would make strings of it, and
 * strings cannot be wiped; so the value is put in and taken out as bytes, and only the rest goes through JSON.
 */

export interface DecodedBody {
  /** Everything but `value`. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** The caller disposes it. */
  readonly value: SecretBytes | undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const valueName = Buffer.from('value', 'latin1');

/** @returns a body of its own memory (never pooled): the caller wipes it when it was sent */
export function encodeBody(rest: object, value: SecretBytes | undefined): Buffer {
  const text = Buffer.from(JSON.stringify(rest), 'utf8');
  if (value === undefined) return Buffer.concat([text]);
  using encoded = encodeBase64(value);
  const opening = Buffer.concat([
    text.subarray(0, -1),
    Buffer.from(text.length > 2 ? ',"value":"' : '"value":"', 'latin1'),
  ]);
  const body = Buffer.alloc(opening.length + encoded.length + 2);
  opening.copy(body);
  body.set(encoded.bytes, opening.length);
  body.write('"}', opening.length + encoded.length, 'latin1');
  return body;
}

/** @returns undefined where the body is not one JSON object with at most one, canonical base64 `value` */
export function decodeBody(body: Uint8Array): DecodedBody | undefined {
  const spans = valueSpans(body);
  if (spans === undefined || spans.length > 1) return undefined;
  const span = spans[0];
  const rest = parseObject(
    span === undefined ? body : Buffer.concat([body.subarray(0, span.start), body.subarray(span.end)]),
  );
  if (rest === undefined) return undefined;
  const { value: emptied, ...others } = rest;
  // An escaped spelling of the name ("v\u0061lue") is seen by JSON only; it is not how our ends write it.
  if (emptied !== (span === undefined ? undefined : '')) return undefined;
  if (span === undefined) return { rest: others, value: undefined };
  const value = decodeBase64(body.subarray(span.start, span.end));
  return value === undefined ? undefined : { rest: others, value };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the contents of strings stand that are values of a top-level member `value`; undefined for an open string. */
function valueSpans(body: Uint8Array): readonly Span[] | undefined {
  const spans: Span[] = [];
  let depth = 0;
  let named = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === quote) {
      const end = endOfString(body, at + 1);
      if (end === undefined) return undefined;
      const isName = depth === 1 && nextMeaningful(body, end + 1) === 0x3a;
      if (isName) named = valueName.equals(body.subarray(at + 1, end));
      else if (named && depth === 1) {
        spans.push({ start: at + 1, end });
        named = false;
      }
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
