import type { VaultRecord } from '../vaults/vault-record.ts';
import { numberOf, textOf } from './columns.ts';
import type { Row, ServerDatabase } from './database.ts';

/** The management side of vaults: where they are and what they may be used for. Keys and secrets are not in here. */
export class VaultRegistryStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  /** @returns false where there is one of that name already */
  add(vault: VaultRecord): boolean {
    const added = this.#database.change(
      `INSERT INTO vaults (name, resource_group, location, sku, enabled_for_disk_encryption, created_at)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
      vault.name,
      vault.resourceGroup,
      vault.location,
      vault.sku,
      vault.enabledForDiskEncryption ? 1 : 0,
      vault.createdAt,
    );
    return added === 1;
  }

  find(name: string): VaultRecord | undefined {
    const row = this.#database.one('SELECT * FROM vaults WHERE name = ?', name);
    return row === undefined ? undefined : recordOf(row);
  }

  list(): readonly VaultRecord[] {
    return this.#database.all('SELECT * FROM vaults ORDER BY name').map(recordOf);
  }
}

function recordOf(row: Row): VaultRecord {
  return {
    name: textOf(row, 'name'),
    resourceGroup: textOf(row, 'resource_group'),
    location: textOf(row, 'location'),
    sku: textOf(row, 'sku') as VaultRecord['sku'],
    enabledForDiskEncryption: numberOf(row, 'enabled_for_disk_encryption') === 1,
    createdAt: numberOf(row, 'created_at'),
  };
}
