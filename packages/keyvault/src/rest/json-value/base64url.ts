import { SecretBytes } from '@kannuki/core';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 'latin1');
const sextets = reverseAlphabet();
const invalid = 255;
const padding = 0x3d;

/**
 * Base64url (RFC 4648, 5) from bytes to bytes, with or without padding, without ever being a string.
 * @returns undefined where the input is not canonical; the caller disposes the result
 */
export function decodeBase64Url(input: Uint8Array): SecretBytes | undefined {
  const length = lengthWithoutPadding(input);
  if (length === undefined || length % 4 === 1) return undefined;
  const output = new Uint8Array(Math.floor((length * 3) / 4));
  let group = 0;
  let bits = 0;
  let write = 0;
  for (let read = 0; read < length; read += 1) {
    const sextet = sextets[input[read] ?? 0] ?? invalid;
    if (sextet === invalid) return wiped(output);
    group = ((group << 6) | sextet) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    output[write] = (group >> bits) & 255;
    write += 1;
  }
  return (group & ((1 << bits) - 1)) === 0 ? SecretBytes.take(output) : wiped(output);
}

export function base64UrlLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

/** @returns where the next byte goes */
export function writeBase64Url(input: Uint8Array, output: Uint8Array, at: number): number {
  let write = at;
  for (let read = 0; read < input.length; read += 3) {
    const left = input.length - read;
    const group = ((input[read] ?? 0) << 16) | ((input[read + 1] ?? 0) << 8) | (input[read + 2] ?? 0);
    for (let digit = 0; digit < Math.min(4, left + 1); digit += 1) {
      output[write] = alphabet[(group >> (18 - 6 * digit)) & 63] ?? 0;
      write += 1;
    }
  }
  return write;
}

function lengthWithoutPadding(input: Uint8Array): number | undefined {
  let length = input.length;
  while (length > 0 && input.length - length < 3 && input[length - 1] === padding) length -= 1;
  const pads = input.length - length;
  return pads === 0 || (pads < 3 && input.length % 4 === 0) ? length : undefined;
}

function wiped(output: Uint8Array): undefined {
  output.fill(0);
  return undefined;
}

function reverseAlphabet(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (const [value, character] of alphabet.entries()) table[character] = value;
  return table;
}
