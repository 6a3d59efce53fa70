import { randomBytes } from 'node:crypto';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { type ObjectName, type ObjectState, plainState, stateMac } from './object-state.ts';
import type { VersionFields } from './row-seal.ts';
import type { ObjectRow, VersionRow } from './statements.ts';
import type { FoundObject, VaultStore } from './vault-store.ts';
import type { Change } from './write-queue.ts';

/** Of a vault that is purged. */
const objectsInOneStep = 100;

export interface AddedVersion {
  readonly attributes: string;
  /** Stays the caller's. */
  readonly value: SecretBytes;
  /** State of the object from now on, given what it was; unchanged where it is left out. */
  readonly state?: (before: ObjectState) => ObjectState;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** A version as a backup holds it. */
export interface RestoredVersion {
  readonly version: string;
  readonly createdAt: number;
  readonly attributes: string;
  /** Stays the caller's. */
  readonly value: SecretBytes;
}

/** What can be written about objects. Every method resolves when the change is on stable storage, and changes nothing when it rejects. */
export class ObjectChanges {
  readonly #store: VaultStore;

  constructor(store: VaultStore) {
    this.#store = store;
  }

  /**
   * Adds the newest version of an object, and the object where it is new.
   * @throws KannukiError KNK-KVT-0003 no such vault, 0021 the name is held by a deleted object
   */
  addVersion(of: ObjectName, added: AddedVersion): Promise<VersionRow> {
    const { collection, vault, name } = of;
    return this.#store.write(of, async () => {
      const found = this.#requireVault(vault);
      const object = this.#store.findObject(collection, vault, name);
      if (object !== undefined) assertLive(object);
      const fields: VersionFields = {
        collection,
        vault: found.name,
        name: object?.name.name ?? name,
        version: randomBytes(16).toString('hex'),
        sequence: (object?.sequence ?? 0) + 1,
        createdAt: added.now,
        attributes: added.attributes,
      };
      const before = object?.state ?? plainState;
      const state = this.#stateChange(fields, object, added.state?.(before) ?? before);
      const sealed = await this.#store.sealer.seal(fields, added.value);
      const rootKeyId = this.#store.sealer.rootKey.id;
      const objectRow: ObjectRow = { id: object?.id ?? 0, state: state.result, stateMac: state.mac };
      return {
        result: { id: 0, fields, rootKeyId, ...sealed, object: objectRow },
        removed: state.removed,
        added: [...state.added, sealed.mac],
        apply: () => {
          const objectId = object?.id ?? this.#addObject(found.id, fields, state);
          if (object !== undefined) state.apply();
          this.#addVersion(objectId, fields, sealed);
        },
      };
    });
  }

  /**
   * Gives a version of a live object other attributes: its value is sealed anew under them.
   * @param version null for the newest
   * @throws KannukiError KNK-KVT-0003
   */
  replaceAttributes(
    of: ObjectName,
    version: string | null,
    change: (attributes: string) => string,
    stateAfter?: (before: ObjectState, fields: VersionFields) => ObjectState,
  ): Promise<VersionRow> {
    const { collection, vault, name } = of;
    return this.#store.write(of, async () => {
      const row = this.#store.find(collection, vault, name, version);
      if (row === undefined) throw notFound(of);
      const isNewest = this.#store.findObject(collection, vault, name)?.sequence === row.fields.sequence;
      const fields: VersionFields = { ...row.fields, attributes: change(row.fields.attributes) };
      const before = row.object.state;
      const state = this.#stateChange(fields, row.object, isNewest ? (stateAfter?.(before, fields) ?? before) : before);
      using value = await this.#store.openValue(row);
      const sealed = await this.#store.sealer.seal(fields, value);
      const rootKeyId = this.#store.sealer.rootKey.id;
      return {
        result: { ...row, fields, rootKeyId, ...sealed },
        removed: [row.mac, ...state.removed],
        added: [sealed.mac, ...state.added],
        apply: () => {
          const { replaceVersion } = this.#store.statements[collection];
          replaceVersion.run(fields.attributes, rootKeyId, sealed.dataKey, sealed.value, sealed.mac, row.id);
          state.apply();
        },
      };
    });
  }

  /**
   * Gives an object another state.
   * @param change looks at what is there inside the queue, and may refuse by throwing
   * @throws KannukiError KNK-KVT-0003
   */
  setState(of: ObjectName, change: (object: FoundObject) => ObjectState): Promise<ObjectState> {
    return this.#store.write(of, async () => {
      const object = this.#store.findObject(of.collection, of.vault, of.name);
      if (object === undefined) throw notFound(of);
      return this.#stateChange(object.name, object, change(object));
    });
  }

  /**
   * Removes a deleted object with all its versions; `emptyLog` of the store takes the last trace.
   * @param before runs when it is certain what will go, and may refuse by throwing
   */
  async purge(
    of: ObjectName,
    before: (object: FoundObject, rows: readonly VersionRow[]) => Promise<void>,
  ): Promise<void> {
    await this.#store.write(of, async () => {
      const object = this.#store.findObject(of.collection, of.vault, of.name);
      if (object === undefined || object.state.deletedAt === null) throw notFound(of);
      const rows = this.#allVersions(object.name);
      await before(object, rows);
      return this.#removal([object], rows, () => undefined);
    });
  }

  /**
   * Removes everything in a vault, then the vault. In steps, so that other calls are answered meanwhile: what a power cut
   * leaves is removed by the next attempt. Does nothing where there is none.
   */
  async purgeVault(vault: string, before: (rows: readonly VersionRow[]) => Promise<void>): Promise<void> {
    while (!(await this.#store.write(null, () => this.#purgeStep(vault, before))));
  }

  /** @returns whether the vault is gone */
  async #purgeStep(vault: string, before: (rows: readonly VersionRow[]) => Promise<void>): Promise<Change<boolean>> {
    const found = this.#store.findVault(vault);
    if (found === undefined) return { result: true, removed: [], added: [], apply: () => undefined };
    const objects = (['keys', 'secrets'] as const).flatMap((collection) =>
      this.#store.someObjects(collection, vault, objectsInOneStep),
    );
    const rows = objects.flatMap(({ name }) => this.#allVersions(name));
    await before(rows);
    const isLast = objects.length === 0;
    const { removed, apply } = this.#removal(objects, rows, () => isLast && this.#store.removeVaultRow(found.id));
    return { result: isLast, removed, added: [], apply };
  }

  #allVersions({ collection, vault, name }: ObjectName): readonly VersionRow[] {
    return this.#store.rows(collection, ({ versionPage }) => versionPage.all(vault, name, 0, Number.MAX_SAFE_INTEGER));
  }

  /**
   * Puts an object with all its versions back, oldest first.
   * @throws KannukiError KNK-KVT-0021 where the name is held by a live or deleted object
   */
  restore(of: ObjectName, versions: readonly RestoredVersion[], after: ObjectState): Promise<void> {
    return this.#store.write(of, async () => {
      const found = this.#requireVault(of.vault);
      const held = this.#store.findObject(of.collection, of.vault, of.name);
      if (held !== undefined) {
        const reason = held.state.deletedAt === null ? 'there is one of that name' : 'a deleted one has that name';
        throw nameHeld(held.name, reason);
      }
      const name: ObjectName = { ...of, vault: found.name };
      const state = this.#stateChange(name, undefined, after);
      const rows = await Promise.all(
        versions.map(async ({ version, createdAt, attributes, value }, index) => {
          const fields: VersionFields = { ...name, version, sequence: index + 1, createdAt, attributes };
          return { fields, sealed: await this.#store.sealer.seal(fields, value) };
        }),
      );
      return {
        result: undefined,
        removed: [],
        added: [...state.added, ...rows.map(({ sealed }) => sealed.mac)],
        apply: () => {
          const objectId = this.#addObject(found.id, name, state);
          for (const { fields, sealed } of rows) this.#addVersion(objectId, fields, sealed);
        },
      };
    });
  }

  #requireVault(vault: string): { readonly id: number; readonly name: string } {
    const found = this.#store.findVault(vault);
    if (found === undefined) throw new KannukiError('KNK-KVT-0003', { details: { object: `vault ${vault}` } });
    return found;
  }

  #stateChange(
    name: ObjectName,
    object: ObjectRow | undefined,
    state: ObjectState,
  ): Change<ObjectState> & { readonly mac: Uint8Array | null } {
    const mac = stateMac(this.#store.sealer, name, state);
    const before = object?.stateMac ?? null;
    return {
      result: state,
      mac,
      removed: before === null ? [] : [before],
      added: mac === null ? [] : [mac],
      apply: () => {
        if (object === undefined) return;
        const { deletedAt, purgeAt, policy, dueAt } = state;
        this.#store.statements[name.collection].setState.run(deletedAt, purgeAt, policy, dueAt, mac, object.id);
      },
    };
  }

  #addObject(vaultId: number, name: ObjectName, state: { result: ObjectState; mac: Uint8Array | null }): number {
    const { deletedAt, purgeAt, policy, dueAt } = state.result;
    const { addObject } = this.#store.statements[name.collection];
    return Number(addObject.run(vaultId, name.name, deletedAt, purgeAt, policy, dueAt, state.mac).lastInsertRowid);
  }

  #addVersion(
    objectId: number,
    { collection, version, sequence, createdAt, attributes }: VersionFields,
    { dataKey, value, mac }: { dataKey: Uint8Array; value: Uint8Array; mac: Uint8Array },
  ): void {
    const { addVersion } = this.#store.statements[collection];
    const rootKeyId = this.#store.sealer.rootKey.id;
    addVersion.run(objectId, version, sequence, createdAt, attributes, rootKeyId, dataKey, value, mac);
  }

  #removal(
    objects: readonly (ObjectRow & { readonly name: ObjectName })[],
    rows: readonly VersionRow[],
    andThen: () => unknown,
  ): Change<void> {
    const states = objects.flatMap(({ stateMac: mac }) => (mac === null ? [] : [mac]));
    return {
      result: undefined,
      removed: [...states, ...rows.map(({ mac }) => mac)],
      added: [],
      apply: () => {
        for (const { id, name } of objects) {
          const { removeVersions, removeObject } = this.#store.statements[name.collection];
          removeVersions.run(id);
          removeObject.run(id);
        }
        andThen();
      },
    };
  }
}

export function notFound({ collection, name }: ObjectName): KannukiError {
  return new KannukiError('KNK-KVT-0003', { details: { object: `${collection}/${name}` } });
}

function assertLive(object: FoundObject): void {
  if (object.state.deletedAt === null) return;
  throw nameHeld(object.name, 'a deleted one has that name, and it is recoverable');
}

function nameHeld({ collection, name }: ObjectName, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0021', { details: { object: `${collection}/${name}`, reason } });
}
