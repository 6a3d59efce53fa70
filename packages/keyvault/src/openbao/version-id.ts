import type { ObjectCollection } from '../object-id.ts';

/**
 * OpenBao counts versions from 1; ids of this program have 32 hexadecimal digits (REQ-325). The number is written in
 * hexadecimal with zeros before it, so that an id can be read back into the number and sorts as the versions do.
 */
export function idOf(host: string, collection: ObjectCollection, name: string, version: number): string {
  return `https://${host}/${collection}/${name}/${version.toString(16).padStart(32, '0')}`;
}

/** @returns undefined for digits that are no version of OpenBao's (zero, or beyond exact integers) */
export function versionNumber(digits: string): number | undefined {
  const number = BigInt(`0x${digits}`);
  return number > 0n && number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : undefined;
}
