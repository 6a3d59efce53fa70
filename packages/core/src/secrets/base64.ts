import { SecretBytes } from './secret-bytes.ts';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
const padding = '='.charCodeAt(0);

/**
 * Standard base64 with padding (RFC 4648, 4) from bytes to bytes, so that key material never passes through a string.
 * Shape: n bytes in, 4 * ceil(n / 3) bytes out.
 */
export function encodeBase64(secret: SecretBytes): SecretBytes {
  const input = secret.bytes;
  const output = new Uint8Array(4 * Math.ceil(input.length / 3));
  for (let read = 0, write = 0; read < input.length; read += 3, write += 4) {
    const left = input.length - read;
    const group = (byteAt(input, read) << 16) | (byteAt(input, read + 1) << 8) | byteAt(input, read + 2);
    output[write] = byteAt(alphabet, (group >> 18) & 63);
    output[write + 1] = byteAt(alphabet, (group >> 12) & 63);
    output[write + 2] = left > 1 ? byteAt(alphabet, (group >> 6) & 63) : padding;
    output[write + 3] = left > 2 ? byteAt(alphabet, group & 63) : padding;
  }
  return SecretBytes.take(output);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
