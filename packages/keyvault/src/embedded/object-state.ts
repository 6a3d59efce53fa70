import type { ObjectCollection } from '../object-id.ts';
import type { RowSealer } from './row-seal.ts';

/** What is said of an object as a whole, all its versions. Times are milliseconds since 1970. */
export interface ObjectState {
  readonly deletedAt: number | null;
  /** Set with `deletedAt`: when it is purged without further action (REQ-354). */
  readonly purgeAt: number | null;
  /** Rotation policy as JSON text; null for the default. */
  readonly policy: string | null;
  /** When something has to be done about a key next: rotate it, or tell of its expiry. */
  readonly dueAt: number | null;
}

export interface ObjectName {
  readonly collection: ObjectCollection;
  readonly vault: string;
  readonly name: string;
}

/** Of an object that is live and has nothing due. It is not written down, so that objects of earlier releases have it. */
export const plainState: ObjectState = { deletedAt: null, purgeAt: null, policy: null, dueAt: null };

/** @returns null for a plain state: its absence is what the inventory vouches for */
export function stateMac(sealer: RowSealer, of: ObjectName, state: ObjectState): Uint8Array | null {
  const { deletedAt, purgeAt, policy, dueAt } = state;
  const values = [deletedAt, purgeAt, policy, dueAt];
  if (values.every((value) => value === null)) return null;
  const names = [of.vault, of.collection, of.name];
  return sealer.keyedHash('object state', [...names, ...values.map((value) => value ?? '')]);
}
