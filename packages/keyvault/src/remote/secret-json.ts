import { encodeBase64, parseJsonObject, type SecretBytes, textSpans, withoutText } from '@kannuki/core';
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
  const spans = textSpans(body, ['value']);
  if (spans === undefined || spans.length > 1) return undefined;
  const span = spans[0];
  const rest = parseJsonObject(span === undefined ? body : withoutText(body, span));
  if (rest === undefined) return undefined;
  const { value: emptied, ...others } = rest;
  // An escaped spelling of the name ("v\u0061lue") is seen by JSON only; it is not how our ends write it.
  if (emptied !== (span === undefined ? undefined : '')) return undefined;
  if (span === undefined) return { rest: others, value: undefined };
  const value = decodeBase64(body.subarray(span.start, span.end));
  return value === undefined ? undefined : { rest: others, value };
}
