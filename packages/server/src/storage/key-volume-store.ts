import { nullable, numberOf, textOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

export interface AttachedKeyVolume {
  readonly vmId: string;
  /** Milliseconds since 1970: taken away then, unlocked or not. */
  readonly detachBy: number;
  /** Boot id that the agent told before this start: what it says of that boot does not count. */
  readonly bootBefore: string | null;
}

/** Which VMs have, or may have, a key volume attached: written before the host is told, removed after it has obeyed. */
export class KeyVolumeStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  put({ vmId, detachBy, bootBefore }: AttachedKeyVolume): void {
    this.#database.change(
      `INSERT INTO key_volumes (vm_id, detach_by, boot_before) VALUES (?, ?, ?)
       ON CONFLICT (vm_id) DO UPDATE SET detach_by = excluded.detach_by, boot_before = excluded.boot_before`,
      vmId,
      detachBy,
      bootBefore,
    );
  }

  get(vmId: string): AttachedKeyVolume | undefined {
    return this.list().find((one) => one.vmId === vmId);
  }

  list(): readonly AttachedKeyVolume[] {
    return this.#database.all('SELECT * FROM key_volumes').map((row) => ({
      vmId: textOf(row, 'vm_id'),
      detachBy: numberOf(row, 'detach_by'),
      bootBefore: nullable(row, 'boot_before', textOf),
    }));
  }

  remove(vmId: string): void {
    this.#database.change('DELETE FROM key_volumes WHERE vm_id = ?', vmId);
  }
}
