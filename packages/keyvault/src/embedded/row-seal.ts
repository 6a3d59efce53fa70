import { createHmac, timingSafeEqual } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { ObjectCollection } from '../object-id.ts';
import type { RootKey } from './root-key.ts';
import { bindFields, openSealed, seal, sealedHeadBytes } from './sealed.ts';

/** What identifies one version and what is said of it in the clear: all of it is bound to the sealed value. */
export interface VersionFields {
  readonly collection: ObjectCollection;
  readonly vault: string;
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly version: string;
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** JSON text, bound byte for byte. */
  readonly attributes: string;
}

/** The three blobs of a row. */
export interface SealedVersion {
  readonly dataKey: Uint8Array;
  readonly value: Uint8Array;
  readonly mac: Uint8Array;
}

const dataKeyBytes = 32;

/**
 * Envelope encryption of one version: a fresh data key seals the value, the root key seals the data key, and both are
 * bound to every field of the row, so that a value moved to another row, or a field changed under it, does not open.
 * The row's MAC says the same of a row that is only listed and not opened, and feeds the inventory.
 */
export class RowSealer {
  #rootKey: RootKey;
  readonly #rowKey: SecretBytes;
  #closed = false;

  /** @param rowKey taken over */
  constructor(rootKey: RootKey, rowKey: SecretBytes) {
    this.#rootKey = rootKey;
    this.#rowKey = rowKey;
  }

  get rootKey(): RootKey {
    return this.#rootKey;
  }

  /** The row key for the table of root keys. */
  sealRowKey(under: RootKey): Promise<Uint8Array> {
    return under.seal(this.#rowKey, rowKeyContext(under));
  }

  /** The data key of an intact row for another root key. @returns undefined where the row is not as it was sealed */
  async reseal(fields: VersionFields, sealed: SealedVersion, under: RootKey): Promise<Uint8Array | undefined> {
    if (!this.isIntact(fields, sealed)) return undefined;
    using dataKey = await this.rootKey.open(sealed.dataKey, context('data key', fields));
    return dataKey === undefined ? undefined : await under.seal(dataKey, context('data key', fields));
  }

  /** For when every row was sealed anew: the old root key is closed. @param rootKey taken over */
  replaceRootKey(rootKey: RootKey): void {
    const old = this.#rootKey;
    this.#rootKey = rootKey;
    old.close();
  }

  /** The value stays the caller's. */
  async seal(fields: VersionFields, value: SecretBytes): Promise<SealedVersion> {
    using dataKey = SecretBytes.random(dataKeyBytes);
    const sealedValue = seal(dataKey, value, context('value', fields));
    const sealedKey = await this.rootKey.seal(dataKey, context('data key', fields));
    return { dataKey: sealedKey, value: sealedValue, mac: this.mac(fields, sealedValue) };
  }

  /** @returns undefined where the row is not as it was sealed; the caller disposes the result */
  async open(fields: VersionFields, sealed: SealedVersion): Promise<SecretBytes | undefined> {
    if (!this.isIntact(fields, sealed)) return undefined;
    using dataKey = await this.rootKey.open(sealed.dataKey, context('data key', fields));
    return dataKey === undefined ? undefined : await openSealed(dataKey, sealed.value, context('value', fields));
  }

  isIntact(fields: VersionFields, sealed: Pick<SealedVersion, 'value' | 'mac'>): boolean {
    return isSame(sealed.mac, this.mac(fields, sealed.value));
  }

  /** @param value the sealed value or at least its head: the tag in it stands for the rest */
  mac(fields: VersionFields, value: Uint8Array): Uint8Array {
    return this.keyedHash('row', [...listed(fields), value.subarray(0, sealedHeadBytes)]);
  }

  /** @throws KannukiError KNK-KVT-0027 once closed */
  keyedHash(purpose: string, fields: readonly (string | number | Uint8Array)[]): Buffer {
    if (this.#closed) throw new KannukiError('KNK-KVT-0027');
    return createHmac('sha256', this.#rowKey.bytes)
      .update(bindFields([purpose, ...fields]))
      .digest();
  }

  /** Wipes the keys from memory. */
  close(): void {
    this.#closed = true;
    this.#rowKey[Symbol.dispose]();
    this.rootKey.close();
  }
}

/** What the row key is bound to where it is stored. */
export function rowKeyContext({ id }: RootKey): Buffer {
  return bindFields(['kannuki vault 1', 'row key', id]);
}

export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

function context(purpose: string, fields: VersionFields): Buffer {
  return bindFields(['kannuki vault 1', purpose, ...listed(fields)]);
}

function listed(fields: VersionFields): readonly (string | number)[] {
  const { vault, collection, name, version, sequence, createdAt, attributes } = fields;
  return [vault, collection, name, version, sequence, createdAt, attributes];
}
