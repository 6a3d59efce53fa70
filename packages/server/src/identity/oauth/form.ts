import { SecretBytes } from '@kannuki/core';
import { type Refusal, refusals, repeatedParameter } from './refusals.ts';

/** A form with the secret kept apart, as bytes. */
export interface TokenForm extends Disposable {
  readonly fields: ReadonlyMap<string, string>;
  /** `client_secret`. */
  readonly secret: SecretBytes | undefined;
}

const maximumFields = 32;
const fieldNames = new Set([
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'grant_type',
  'scope',
  'resource',
]);

const ampersand = 0x26;
const equals = 0x3d;
const percent = 0x25;
const plus = 0x2b;
const space = 0x20;

/**
 * Reads `application/x-www-form-urlencoded`. Fields that nothing here reads are passed over; one that is given twice is
 * refused (RFC 6749, 3.2).
 * @param body taken over and wiped
 */
export function readTokenForm(body: Buffer): TokenForm | Refusal {
  const fields = new Map<string, string>();
  let secret: SecretBytes | undefined;
  const refuse = (refusal: Refusal): Refusal => {
    secret?.[Symbol.dispose]();
    return refusal;
  };
  try {
    let count = 0;
    for (let start = 0; start <= body.length; ) {
      const found = body.indexOf(ampersand, start);
      const end = found === -1 ? body.length : found;
      const part = body.subarray(start, end);
      start = end + 1;
      if (part.length === 0) continue;
      count += 1;
      if (count > maximumFields) return refuse(refusals.malformed);
      const sign = part.indexOf(equals);
      const nameBytes = decode(sign === -1 ? part : part.subarray(0, sign));
      const name = nameBytes?.toString('latin1');
      if (name === undefined) return refuse(refusals.malformed);
      if (!fieldNames.has(name)) continue;
      const value = decode(sign === -1 ? Buffer.alloc(0) : part.subarray(sign + 1));
      if (value === undefined) return refuse(refusals.malformed);
      if (fields.has(name) || (name === 'client_secret' && secret !== undefined)) {
        value.fill(0);
        return refuse(repeatedParameter(name));
      }
      if (name === 'client_secret') secret = SecretBytes.take(value);
      else fields.set(name, value.toString('utf8'));
    }
  } finally {
    body.fill(0);
  }
  return { fields, secret, [Symbol.dispose]: () => secret?.[Symbol.dispose]() };
}

/** HTTP Basic as RFC 6749, 2.3.1 has it: both parts are form-encoded first. @returns undefined for what is none */
export function readBasic(header: string): { readonly clientId: string; readonly secret: SecretBytes } | undefined {
  const match = /^basic +([A-Za-z0-9+/]{1,2000}={0,2}) *$/i.exec(header);
  if (match?.[1] === undefined) return undefined;
  const bytes = Buffer.from(match[1], 'base64');
  try {
    const colon = bytes.indexOf(0x3a);
    if (colon === -1) return undefined;
    const clientId = decode(bytes.subarray(0, colon));
    const secret = decode(bytes.subarray(colon + 1));
    if (clientId === undefined || secret === undefined) return undefined;
    return { clientId: clientId.toString('utf8'), secret: SecretBytes.take(secret) };
  } finally {
    bytes.fill(0);
  }
}

/** A copy with `+` and `%XX` resolved; undefined for a broken escape. */
function decode(bytes: Uint8Array): Buffer | undefined {
  const output = Buffer.alloc(bytes.length);
  let length = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte === percent) {
      const value = hexDigit(bytes[index + 1]) * 16 + hexDigit(bytes[index + 2]);
      if (Number.isNaN(value)) {
        output.fill(0);
        return undefined;
      }
      output[length] = value;
      index += 2;
    } else {
      output[length] = byte === plus ? space : byte;
    }
    length += 1;
  }
  return output.subarray(0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return Number.NaN;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
