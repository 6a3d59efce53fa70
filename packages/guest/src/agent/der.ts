/**
 * The few pieces of DER (ITU-T X.690) that a certificate request needs. Writing only: nothing here reads what others
 * sent, so there is nothing to parse and nothing to attack.
 */

const tag = { integer: 0x02, bitString: 0x03, objectIdentifier: 0x06, utf8String: 0x0c, sequence: 0x30, set: 0x31 };

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(tag.sequence, Buffer.concat(parts));
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return element(tag.set, Buffer.concat(parts));
}

/** An integer of one byte, 0..127. */
export function smallInteger(value: number): Buffer {
  return element(tag.integer, Buffer.from([value]));
}

export function utf8String(text: string): Buffer {
  return element(tag.utf8String, Buffer.from(text, 'utf8'));
}

/** Whole bytes: no unused bits at the end. */
export function bitString(bytes: Uint8Array): Buffer {
  return element(tag.bitString, Buffer.concat([Buffer.from([0]), bytes]));
}

/** A constructed element of the context-specific class, `[number]`. */
export function contextSpecific(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(0xa0 | number, Buffer.concat(parts));
}

/** @example objectIdentifier('2.5.4.3') // common name */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(tag.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits a byte, the highest first; all bytes but the last have the top bit set. */
function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) | 0x80);
  return bytes;
}

function element(type: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}
