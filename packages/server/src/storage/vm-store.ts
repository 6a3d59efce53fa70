import type { Vm, VmName } from '../vms/vm.ts';
import { jsonOf, numberOf, textOf } from './columns.ts';
import type { Row, ServerDatabase } from './database.ts';

export class VmStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  /** @returns false where the resource group has a VM of that name already */
  add(vm: Vm): boolean {
    const added = this.#database.change(
      `INSERT INTO vms (id, resource_group, name, host_name, state, model, key_volume_id, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (resource_group, name) DO NOTHING`,
      vm.id,
      vm.resourceGroup,
      vm.name,
      vm.hostName,
      vm.state,
      JSON.stringify(vm.model),
      vm.keyVolumeId,
      vm.createdAt,
    );
    return added === 1;
  }

  setState(id: string, state: Vm['state']): void {
    this.#database.change('UPDATE vms SET state = ? WHERE id = ?', state, id);
  }

  /** With everything that hangs on it: goal, status, certificates, the record of its secrets. */
  remove(id: string): void {
    this.#database.change('DELETE FROM vms WHERE id = ?', id);
  }

  find({ resourceGroup, name }: VmName): Vm | undefined {
    const row = this.#database.one('SELECT * FROM vms WHERE resource_group = ? AND name = ?', resourceGroup, name);
    return row === undefined ? undefined : vmOf(row);
  }

  byId(id: string): Vm | undefined {
    const row = this.#database.one('SELECT * FROM vms WHERE id = ?', id);
    return row === undefined ? undefined : vmOf(row);
  }

  byHostName(hostName: string): Vm | undefined {
    const row = this.#database.one('SELECT * FROM vms WHERE host_name = ?', hostName);
    return row === undefined ? undefined : vmOf(row);
  }

  list(resourceGroup?: string): readonly Vm[] {
    const rows =
      resourceGroup === undefined
        ? this.#database.all('SELECT * FROM vms ORDER BY resource_group, name')
        : this.#database.all('SELECT * FROM vms WHERE resource_group = ? ORDER BY name', resourceGroup);
    return rows.map(vmOf);
  }
}

function vmOf(row: Row): Vm {
  return {
    id: textOf(row, 'id'),
    resourceGroup: textOf(row, 'resource_group'),
    name: textOf(row, 'name'),
    hostName: textOf(row, 'host_name'),
    state: textOf(row, 'state') as Vm['state'],
    model: jsonOf(row, 'model'),
    keyVolumeId: textOf(row, 'key_volume_id'),
    createdAt: numberOf(row, 'created_at'),
  };
}
