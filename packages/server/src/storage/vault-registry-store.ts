import { defaultVaultProperties, type VaultProperties } from '../vaults/vault-properties.ts';
import type { VaultRecord } from '../vaults/vault-record.ts';
import { jsonOf, nullable, numberOf, textOf } from './columns.ts';
import type { Row, ServerDatabase } from './database.ts';

/** The management side of vaults: where they are and what they may be used for. Keys and secrets are not in here. */
export class VaultRegistryStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  /** @returns false where there is one of that name already, live or deleted */
  add(vault: VaultRecord): boolean {
    const added = this.#database.change(
      `INSERT INTO vaults
         (name, resource_group, location, sku, enabled_for_disk_encryption, created_at, settings, tags, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
      vault.name,
      vault.resourceGroup,
      vault.location,
      vault.sku,
      vault.enabledForDiskEncryption ? 1 : 0,
      vault.createdAt,
      JSON.stringify(vault.properties),
      JSON.stringify(vault.tags),
      vault.state,
    );
    return added === 1;
  }

  /** Writes everything but name, place and time of creation. */
  replace(vault: VaultRecord): void {
    this.#database.change(
      `UPDATE vaults SET sku = ?, enabled_for_disk_encryption = ?, settings = ?, tags = ?, state = ?,
         deleted_at = ?, purge_at = ? WHERE name = ?`,
      vault.sku,
      vault.enabledForDiskEncryption ? 1 : 0,
      JSON.stringify(vault.properties),
      JSON.stringify(vault.tags),
      vault.state,
      vault.deletion?.deletedAt ?? null,
      vault.deletion?.purgeAt ?? null,
      vault.name,
    );
  }

  remove(name: string): void {
    this.#database.change('DELETE FROM vaults WHERE name = ?', name);
  }

  /** Live, deleted, or in between. */
  find(name: string): VaultRecord | undefined {
    const row = this.#database.one('SELECT * FROM vaults WHERE name = ?', name);
    return row === undefined ? undefined : recordOf(row);
  }

  list(): readonly VaultRecord[] {
    return this.#database.all('SELECT * FROM vaults ORDER BY name').map(recordOf);
  }

  /** Deleted vaults whose day has come, and those whose purge has begun. */
  due(now: number, limit: number): readonly VaultRecord[] {
    return this.#database
      .all("SELECT * FROM vaults WHERE purge_at <= ? OR state = 'purging' ORDER BY purge_at LIMIT ?", now, limit)
      .map(recordOf);
  }
}

function recordOf(row: Row): VaultRecord {
  const deletedAt = nullable(row, 'deleted_at', numberOf);
  return {
    name: textOf(row, 'name'),
    resourceGroup: textOf(row, 'resource_group'),
    location: textOf(row, 'location'),
    sku: textOf(row, 'sku') as VaultRecord['sku'],
    enabledForDiskEncryption: numberOf(row, 'enabled_for_disk_encryption') === 1,
    // A vault of an older version has none of them on record.
    properties: { ...defaultVaultProperties, ...jsonOf<Partial<VaultProperties>>(row, 'settings') },
    tags: jsonOf(row, 'tags'),
    state: textOf(row, 'state') as VaultRecord['state'],
    deletion: deletedAt === null ? null : { deletedAt, purgeAt: numberOf(row, 'purge_at') },
    createdAt: numberOf(row, 'created_at'),
  };
}
