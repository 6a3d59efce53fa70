import { encodeBase64, SecretBytes } from '@kannuki/core';

/** Base64url without padding (RFC 7515, 2) from bytes to bytes: values of keys never pass through a string. */
export function encodeBase64Url(secret: SecretBytes): SecretBytes {
  using standard = encodeBase64(secret);
  const { bytes } = standard;
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0x3d) length -= 1;
  const output = bytes.slice(0, length);
  for (const [at, byte] of output.entries()) {
    if (byte === 0x2b) output[at] = 0x2d;
    else if (byte === 0x2f) output[at] = 0x5f;
  }
  return SecretBytes.take(output);
}

/** Base64 of either alphabet, with or without padding. @returns undefined for anything else */
export function decodeBase64Any(encoded: Uint8Array): SecretBytes | undefined {
  let length = encoded.length;
  while (length > 0 && encoded.length - length < 2 && encoded[length - 1] === 0x3d) length -= 1;
  if (length % 4 === 1) return undefined;
  const output = new Uint8Array(Math.floor((length * 3) / 4));
  let write = 0;
  let bits = 0;
  let held = 0;
  for (let at = 0; at < length; at += 1) {
    const digit = digitOf(encoded[at] ?? 0);
    if (digit === undefined) {
      output.fill(0);
      return undefined;
    }
    held = ((held << 6) | digit) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      output[write++] = (held >> bits) & 0xff;
    }
  }
  return SecretBytes.take(output);
}

function digitOf(byte: number): number | undefined {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x61 + 26;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 52;
  if (byte === 0x2b || byte === 0x2d) return 62;
  return byte === 0x2f || byte === 0x5f ? 63 : undefined;
}
