/** Decoding base64 from bytes to bytes, for key material: no string holds it on its way. */

const values = new Map(
  [...Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')].map((c, i) => [c, i]),
);
const padding = '='.charCodeAt(0);

/** Whether a byte may stand in base64 text. */
export function isBase64Byte(byte: number | undefined): boolean {
  return byte !== undefined && (values.has(byte) || byte === padding);
}

/**
 * Strict (RFC 4648, 4): padded, nothing foreign, unused bits zero.
 * @returns undefined when it is not base64; otherwise bytes that the caller wipes
 */
export function decodeBase64Bytes(text: Uint8Array): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padded = text.at(-1) === padding ? (text.at(-2) === padding ? 2 : 1) : 0;
  const output = new Uint8Array((text.length / 4) * 3 - padded);
  const digits = text.length - padded;
  let bits = 0;
  let pending = 0;
  for (let read = 0, write = 0; read < digits; read++) {
    const value = values.get(text[read] ?? 0);
    if (value === undefined) return wiped(output);
    bits = ((bits << 6) | value) & 0xfff;
    pending += 6;
    if (pending >= 8) {
      pending -= 8;
      output[write++] = (bits >> pending) & 0xff;
    }
  }
  return (bits & ((1 << pending) - 1)) === 0 ? output : wiped(output);
}

function wiped(output: Uint8Array): undefined {
  output.fill(0);
  return undefined;
}
