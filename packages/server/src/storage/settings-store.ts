import { textOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

/** Facts about this server as a whole. */
export type SettingName =
  | 'authority-fingerprint'
  | 'subscription-id'
  | 'tenant-id'
  | 'administrator-object-id'
  | 'administrator-roles-given-to'
  | 'listen';

export class SettingsStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  get(name: SettingName): string | undefined {
    const row = this.#database.one('SELECT value FROM settings WHERE name = ?', name);
    return row === undefined ? undefined : textOf(row, 'value');
  }

  set(name: SettingName, value: string): void {
    this.#database.change(
      'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      name,
      value,
    );
  }
}
