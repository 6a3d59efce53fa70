import { base64UrlLength, writeBase64Url } from './base64url.ts';

/** The member `value` of an answer, as bytes: written as a JSON string, or as base64url in one. */
export interface ByteValue {
  readonly form: 'text' | 'base64url';
  readonly bytes: Uint8Array;
}

const quote = 0x22;
const backslash = 0x5c;
const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
/** Letters of the escapes that have one; 0 for the rest of the control characters. */
const shortEscapes = shortEscapeTable();

/**
 * A JSON object with `value`, which is never a JS string on the way.
 * @param rest all the other members
 * @returns a body of its own memory (never pooled): the caller wipes it when it was sent
 */
export function encodeJson(rest: object, value: ByteValue | null): Buffer {
  const text = JSON.stringify(rest);
  const restLength = Buffer.byteLength(text);
  if (value === null) {
    const body = Buffer.alloc(restLength);
    body.write(text, 0, 'utf8');
    return body;
  }
  const opening = restLength > 2 ? ',"value":"' : '"value":"';
  const valueLength = value.form === 'text' ? escapedLength(value.bytes) : base64UrlLength(value.bytes.length);
  const body = Buffer.alloc(restLength - 1 + opening.length + valueLength + 2);
  body.write(text, 0, 'utf8');
  let at = restLength - 1 + body.write(opening, restLength - 1, 'latin1');
  at = value.form === 'text' ? writeEscaped(value.bytes, body, at) : writeBase64Url(value.bytes, body, at);
  body.write('"}', at, 'latin1');
  return body;
}

/** As JSON.stringify escapes: quotes, backslashes and control characters; everything else goes as it is. */
function writeEscaped(bytes: Uint8Array, body: Buffer, at: number): number {
  let write = at;
  for (const byte of bytes) {
    if (byte >= 0x20 && byte !== quote && byte !== backslash) {
      body[write] = byte;
      write += 1;
      continue;
    }
    const letter = shortEscapes[byte] ?? 0;
    body[write] = backslash;
    if (letter !== 0) {
      body[write + 1] = letter;
      write += 2;
      continue;
    }
    body.write('u00', write + 1, 'latin1');
    body[write + 4] = hexDigits[byte >> 4] ?? 0;
    body[write + 5] = hexDigits[byte & 15] ?? 0;
    write += 6;
  }
  return write;
}

function escapedLength(bytes: Uint8Array): number {
  let length = bytes.length;
  for (const byte of bytes) {
    if (byte >= 0x20 && byte !== quote && byte !== backslash) continue;
    length += (shortEscapes[byte] ?? 0) === 0 ? 5 : 1;
  }
  return length;
}

function shortEscapeTable(): Uint8Array {
  const table = new Uint8Array(0x80);
  for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' })) {
    table[Number(byte)] = letter.charCodeAt(0);
  }
  return table;
}
