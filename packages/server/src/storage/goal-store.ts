import type { AgentStatus, VolumeGoal } from '@kannuki/core';
import type { EncryptionRequest } from '../vms/encryption-request.ts';
import { jsonOf, numberOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

export interface StoredGoal {
  readonly generation: number;
  readonly volumes: readonly VolumeGoal[];
}

export interface StoredStatus {
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly status: AgentStatus;
}

export interface StoredRequest {
  readonly request: EncryptionRequest;
  readonly requestedAt: number;
  /** A status that knows this generation was made after the request. */
  readonly askedGeneration: number;
  /** Its targets have been found and are in the goal. */
  readonly expanded: boolean;
}

/** What is wanted of each VM, and what its agent last said. */
export class GoalStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  goal(vmId: string): StoredGoal {
    const row = this.#database.one('SELECT generation, volumes FROM goals WHERE vm_id = ?', vmId);
    if (row === undefined) return { generation: 0, volumes: [] };
    return { generation: numberOf(row, 'generation'), volumes: jsonOf(row, 'volumes') };
  }

  /** @returns the new generation */
  setVolumes(vmId: string, volumes: readonly VolumeGoal[]): number {
    const row = this.#database.one(
      `INSERT INTO goals (vm_id, generation, volumes) VALUES (?, 1, ?)
       ON CONFLICT (vm_id) DO UPDATE SET generation = generation + 1, volumes = excluded.volumes
       RETURNING generation`,
      vmId,
      JSON.stringify(volumes),
    );
    if (row === undefined) throw new Error('RETURNING gave no row');
    return numberOf(row, 'generation');
  }

  request(vmId: string): StoredRequest | undefined {
    const row = this.#database.one('SELECT * FROM encryption_requests WHERE vm_id = ?', vmId);
    if (row === undefined) return undefined;
    return {
      request: jsonOf(row, 'request'),
      requestedAt: numberOf(row, 'requested_at'),
      askedGeneration: numberOf(row, 'asked_generation'),
      expanded: numberOf(row, 'expanded') === 1,
    };
  }

  setRequest(vmId: string, { request, requestedAt, askedGeneration, expanded }: StoredRequest): void {
    this.#database.change(
      `INSERT INTO encryption_requests (vm_id, request, requested_at, asked_generation, expanded) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (vm_id) DO UPDATE SET request = excluded.request, requested_at = excluded.requested_at,
         asked_generation = excluded.asked_generation, expanded = excluded.expanded`,
      vmId,
      JSON.stringify(request),
      requestedAt,
      askedGeneration,
      expanded ? 1 : 0,
    );
  }

  status(vmId: string): StoredStatus | undefined {
    const row = this.#database.one('SELECT received_at, body FROM statuses WHERE vm_id = ?', vmId);
    return row === undefined ? undefined : { receivedAt: numberOf(row, 'received_at'), status: jsonOf(row, 'body') };
  }

  setStatus(vmId: string, { receivedAt, status }: StoredStatus): void {
    this.#database.change(
      `INSERT INTO statuses (vm_id, received_at, body) VALUES (?, ?, ?)
       ON CONFLICT (vm_id) DO UPDATE SET received_at = excluded.received_at, body = excluded.body`,
      vmId,
      receivedAt,
      JSON.stringify(status),
    );
  }
}
