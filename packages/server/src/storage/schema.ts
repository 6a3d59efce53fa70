import type { DatabaseSync } from 'node:sqlite';
import { KannukiError } from '@kannuki/core';

/** "KNKS": tells our database from any other SQLite file. */
const applicationId = 0x4b4e4b53;

/**
 * Each runs once, in order, in a transaction of its own. Never change one that was released: add another.
 * Times are integer milliseconds since 1970. No secret is in any table: join tokens are hashes.
 */
const migrations: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: 'VMs, goals, statuses, agents, vaults',
    sql: `
      CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT;
      CREATE TABLE vms (
        id TEXT PRIMARY KEY,
        resource_group TEXT NOT NULL COLLATE NOCASE,
        name TEXT NOT NULL COLLATE NOCASE,
        host_name TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        model TEXT NOT NULL,
        key_volume_id TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        UNIQUE (resource_group, name)
      ) STRICT;
      -- A row is there from before the host attaches a key volume until after it was detached.
      CREATE TABLE key_volumes (
        vm_id TEXT PRIMARY KEY REFERENCES vms (id) ON DELETE CASCADE,
        detach_by INTEGER NOT NULL,
        boot_before TEXT
      ) STRICT;
      CREATE TABLE goals (
        vm_id TEXT PRIMARY KEY REFERENCES vms (id) ON DELETE CASCADE,
        generation INTEGER NOT NULL,
        volumes TEXT NOT NULL
      ) STRICT;
      -- What an owner asked for; targets are found when the VM's agent has reported after the request.
      CREATE TABLE encryption_requests (
        vm_id TEXT PRIMARY KEY REFERENCES vms (id) ON DELETE CASCADE,
        request TEXT NOT NULL,
        requested_at INTEGER NOT NULL,
        asked_generation INTEGER NOT NULL,
        expanded INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE statuses (
        vm_id TEXT PRIMARY KEY REFERENCES vms (id) ON DELETE CASCADE,
        received_at INTEGER NOT NULL,
        body TEXT NOT NULL
      ) STRICT;
      CREATE TABLE join_tokens (
        hash BLOB PRIMARY KEY,
        hash_start BLOB NOT NULL,
        vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
        expires_at INTEGER NOT NULL,
        used_at INTEGER
      ) STRICT;
      CREATE INDEX join_tokens_by_start ON join_tokens (hash_start);
      CREATE TABLE agent_certificates (
        serial TEXT PRIMARY KEY,
        vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
        issued_at INTEGER NOT NULL,
        not_after INTEGER NOT NULL,
        first_used_at INTEGER,
        revoked_at INTEGER
      ) STRICT;
      CREATE INDEX agent_certificates_by_vm ON agent_certificates (vm_id);
      -- Which VM a secret's name belongs to, from before its first version is stored.
      CREATE TABLE vm_secrets (
        vault TEXT NOT NULL COLLATE NOCASE,
        name TEXT NOT NULL COLLATE NOCASE,
        vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
        PRIMARY KEY (vault, name)
      ) STRICT;
      -- Versions that a VM stored; receipt is null for what is no passphrase.
      CREATE TABLE vm_secret_versions (
        sequence INTEGER PRIMARY KEY,
        vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
        vault TEXT NOT NULL COLLATE NOCASE,
        name TEXT NOT NULL COLLATE NOCASE,
        secret_id TEXT NOT NULL UNIQUE,
        receipt TEXT
      ) STRICT;
      CREATE INDEX vm_secret_versions_by_vm ON vm_secret_versions (vm_id);
      -- Key encryption keys that a goal of the VM has named.
      CREATE TABLE vm_keys (
        vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
        vault TEXT NOT NULL COLLATE NOCASE,
        name TEXT NOT NULL COLLATE NOCASE,
        PRIMARY KEY (vm_id, vault, name)
      ) STRICT;
      -- Vaults that a goal of the VM has named: where it may put its passphrases.
      CREATE TABLE vm_vaults (
        vm_id TEXT NOT NULL REFERENCES vms (id) ON DELETE CASCADE,
        vault TEXT NOT NULL COLLATE NOCASE,
        PRIMARY KEY (vm_id, vault)
      ) STRICT;
      CREATE TABLE vaults (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        resource_group TEXT NOT NULL COLLATE NOCASE,
        location TEXT NOT NULL,
        sku TEXT NOT NULL,
        enabled_for_disk_encryption INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    name: 'service principals and their credentials',
    sql: `
      CREATE TABLE service_principals (
        object_id TEXT PRIMARY KEY,
        app_id TEXT NOT NULL UNIQUE,
        display_name TEXT NOT NULL,
        kind TEXT NOT NULL,
        vm_id TEXT UNIQUE REFERENCES vms (id) ON DELETE CASCADE,
        enabled INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE principal_secrets (
        key_id TEXT PRIMARY KEY,
        object_id TEXT NOT NULL REFERENCES service_principals (object_id) ON DELETE CASCADE,
        hint TEXT NOT NULL,
        hash BLOB NOT NULL,
        salt BLOB NOT NULL,
        cost INTEGER NOT NULL,
        block_size INTEGER NOT NULL,
        parallelization INTEGER NOT NULL,
        label TEXT,
        created_at INTEGER NOT NULL,
        UNIQUE (object_id, hint)
      ) STRICT;
      CREATE TABLE principal_certificates (
        object_id TEXT NOT NULL REFERENCES service_principals (object_id) ON DELETE CASCADE,
        sha1 TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        certificate TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (object_id, sha256)
      ) STRICT;`,
  },
  {
    name: 'resource groups, settings and deletion of vaults, role assignments, operations',
    sql: `
      CREATE TABLE resource_groups (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        location TEXT NOT NULL,
        tags TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      -- Groups were only names before.
      INSERT INTO resource_groups (name, location, tags, state, created_at)
        SELECT resource_group, min(location), '{}', 'ready', min(created_at) FROM (
          SELECT resource_group, location, created_at FROM vaults
          UNION ALL SELECT resource_group, json_extract(model, '$.location'), created_at FROM vms)
        GROUP BY resource_group COLLATE NOCASE;
      ALTER TABLE vaults ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
      ALTER TABLE vaults ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
      -- creating: its place in the vault database may be missing; purging: its objects may be gone already.
      ALTER TABLE vaults ADD COLUMN state TEXT NOT NULL DEFAULT 'ready';
      -- A deleted vault keeps its row, and with it its name, until it is purged.
      ALTER TABLE vaults ADD COLUMN deleted_at INTEGER;
      ALTER TABLE vaults ADD COLUMN purge_at INTEGER;
      CREATE TABLE role_assignments (
        id TEXT PRIMARY KEY COLLATE NOCASE,
        scope TEXT NOT NULL,
        role_id TEXT NOT NULL,
        principal_id TEXT NOT NULL COLLATE NOCASE,
        principal_type TEXT NOT NULL,
        description TEXT,
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE operations (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        started_by TEXT NOT NULL,
        status TEXT NOT NULL,
        error TEXT,
        started_at INTEGER NOT NULL,
        ended_at INTEGER
      ) STRICT;
      CREATE INDEX operations_by_start ON operations (started_at);`,
  },
];

/** Brings a database to the newest schema. @throws KannukiError KNK-SRV-0013 where it is newer than we are, 0014 where it is not ours */
export function migrate(file: string, database: DatabaseSync): void {
  const found = database.prepare('PRAGMA application_id').get()?.application_id;
  const tables = database.prepare('SELECT count(*) AS number FROM sqlite_schema').get()?.number;
  if (found !== applicationId && (found !== 0 || tables !== 0)) {
    throw new KannukiError('KNK-SRV-0014', { details: { file, reason: 'it is not a database of this server' } });
  }
  database.exec(`BEGIN IMMEDIATE;
    PRAGMA application_id = ${applicationId};
    CREATE TABLE IF NOT EXISTS migrations (
      version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
    COMMIT`);
  const done = Number(database.prepare('SELECT max(version) AS version FROM migrations').get()?.version ?? 0);
  if (done > migrations.length) {
    throw new KannukiError('KNK-SRV-0013', { details: { file, found: done, known: migrations.length } });
  }
  for (const [index, { name, sql }] of migrations.entries()) {
    const version = index + 1;
    if (version <= done) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(sql);
      database.prepare('INSERT INTO migrations VALUES (?, ?, ?)').run(version, name, Date.now());
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}
