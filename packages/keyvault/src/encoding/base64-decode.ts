import { SecretBytes } from '@kannuki/core';

const padding = '='.charCodeAt(0);
const invalid = 255;
const sextets = reverseAlphabet();

/**
 * Strict standard base64 (RFC 4648, 4, padded) from bytes to bytes, the way back from core's `encodeBase64`: key material
 * that comes over the wire is decoded without ever being a string.
 * @returns undefined where the input is not canonical base64; the caller disposes the result
 */
export function decodeBase64(input: Uint8Array): SecretBytes | undefined {
  if (input.length % 4 !== 0) return undefined;
  const pads = paddingOf(input);
  const output = new Uint8Array((input.length / 4) * 3 - pads);
  let rest = 0;
  for (let read = 0, write = 0; read < input.length; read += 4) {
    const last = read + 4 === input.length;
    let group = 0;
    for (let digit = 0; digit < 4; digit += 1) {
      const padded = last && digit >= 4 - pads;
      const sextet = padded ? 0 : (sextets[input[read + digit] ?? 0] ?? invalid);
      if (sextet === invalid) return wiped(output);
      group = (group << 6) | sextet;
    }
    for (let shift = 16; shift >= 0 && write < output.length; shift -= 8) {
      output[write] = (group >> shift) & 255;
      write += 1;
    }
    if (last) rest = pads === 0 ? 0 : group & (pads === 2 ? 0xffff : 0xff);
  }
  return rest === 0 ? SecretBytes.take(output) : wiped(output);
}

function paddingOf(input: Uint8Array): number {
  if (input.length === 0 || input[input.length - 1] !== padding) return 0;
  return input[input.length - 2] === padding ? 2 : 1;
}

function wiped(output: Uint8Array): undefined {
  output.fill(0);
  return undefined;
}

function reverseAlphabet(): Uint8Array {
  const table = new Uint8Array(256).fill(invalid);
  const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
  for (const [value, character] of alphabet.entries()) table[character] = value;
  return table;
}
