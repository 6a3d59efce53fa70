/** The same memory, typed as Web Crypto wants it: none of our bytes are shared between threads. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
