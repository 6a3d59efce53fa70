import type { ResourceGroup } from '../resources/groups/resource-group.ts';
import { jsonOf, numberOf, textOf } from './columns.ts';
import type { Row, ServerDatabase } from './database.ts';

export class ResourceGroupStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  /** @returns false where there is one of that name already */
  add(group: ResourceGroup): boolean {
    const added = this.#database.change(
      `INSERT INTO resource_groups (name, location, tags, state, created_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (name) DO NOTHING`,
      group.name,
      group.location,
      JSON.stringify(group.tags),
      group.state,
      group.createdAt,
    );
    return added === 1;
  }

  setTags(name: string, tags: ResourceGroup['tags']): void {
    this.#database.change('UPDATE resource_groups SET tags = ? WHERE name = ?', JSON.stringify(tags), name);
  }

  setState(name: string, state: ResourceGroup['state']): void {
    this.#database.change('UPDATE resource_groups SET state = ? WHERE name = ?', state, name);
  }

  remove(name: string): void {
    this.#database.change('DELETE FROM resource_groups WHERE name = ?', name);
  }

  find(name: string): ResourceGroup | undefined {
    const row = this.#database.one('SELECT * FROM resource_groups WHERE name = ?', name);
    return row === undefined ? undefined : groupOf(row);
  }

  list(): readonly ResourceGroup[] {
    return this.#database.all('SELECT * FROM resource_groups ORDER BY name').map(groupOf);
  }
}

function groupOf(row: Row): ResourceGroup {
  return {
    name: textOf(row, 'name'),
    location: textOf(row, 'location'),
    tags: jsonOf(row, 'tags'),
    state: textOf(row, 'state') as ResourceGroup['state'],
    createdAt: numberOf(row, 'created_at'),
  };
}
