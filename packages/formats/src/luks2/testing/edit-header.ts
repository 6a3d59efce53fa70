import assert from 'node:assert/strict';
import { encodeHeaderCopy, readBinaryHeader } from '../binary-header.ts';
import { findCopies } from '../header.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests break the structure on purpose, in ways no type allows
export type LooseJson = any;

/** The JSON of the newest copy, free to be broken. */
export function looseJson(header: Uint8Array): LooseJson {
  const { binary } = findCopies(header).newest;
  const at = binary.secondary ? binary.headerSize : 0;
  const area = Buffer.from(header.subarray(at + 4096, at + binary.headerSize));
  return JSON.parse(area.toString('utf8', 0, area.indexOf(0)));
}

/** A header whose two whole copies, with right checksums, hold this JSON text. Nothing of it is checked. */
export function headerWithJson(header: Uint8Array, json: string | Uint8Array): Uint8Array {
  const binary = findCopies(header).newest.binary;
  const bytes = typeof json === 'string' ? Buffer.from(json) : json;
  const result = Buffer.from(header);
  for (const secondary of [false, true]) {
    result.set(encodeHeaderCopy({ ...binary, secondary }, bytes), secondary ? binary.headerSize : 0);
  }
  return result;
}

/** A header with its JSON changed, and all else whole. */
export function edited(header: Uint8Array, change: (json: LooseJson) => void): Uint8Array {
  const json = looseJson(header);
  change(json);
  return headerWithJson(header, JSON.stringify(json));
}

/** Any change to the bytes, on a copy. */
export function damaged(header: Uint8Array, change: (bytes: Buffer) => void): Uint8Array {
  const result = Buffer.from(header);
  change(result);
  return result;
}

/** The JSON text of one copy as it lies there. */
export function jsonText(header: Uint8Array, secondary: boolean): string {
  const at = secondary ? 16384 : 0;
  assert.notEqual(typeof readBinaryHeader(header, at, secondary), 'string', 'the copy is whole');
  const area = Buffer.from(header.subarray(at + 4096, at + 16384));
  return area.toString('utf8', 0, area.indexOf(0));
}
