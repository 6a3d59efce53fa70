import assert from 'node:assert/strict';
import { DataPlane, type DataPlaneOptions } from '../rest/data-plane.ts';
import type { Caller, VaultSettings } from '../service/access.ts';
import type { DataAction } from '../service/actions.ts';
import type { AuditRecord } from '../service/audit-port.ts';
import type { DataPlaneReply } from '../service/data-plane-call.ts';
import type { VaultObjects } from '../service/vault-objects.ts';
import { MemoryObjects } from './memory-objects.ts';

export const testVault: VaultSettings = {
  name: 'kv1',
  tenantId: 'tenant',
  subscriptionId: 'subscription',
  location: 'here',
  sku: 'premium',
  softDeleteRetentionDays: 90,
  purgeProtection: false,
};

export const testCaller: Caller = {
  objectId: 'oid-1',
  applicationId: 'app-1',
  tenantId: 'tenant',
  address: '192.0.2.7',
  isLocalAdministrator: false,
};

export const baseUrl = 'https://kv1.vault.localhost:8443';

interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body as JSON; undefined where there is none. */
  readonly json: unknown;
  readonly reply: DataPlaneReply;
}

/** A data plane over objects in memory, with its access rules and its audit log in the test's hands. */
export class MemoryDataPlane {
  readonly objects: MemoryObjects;
  readonly plane: DataPlane;
  readonly records: AuditRecord[] = [];
  settings: VaultSettings | undefined = testVault;
  admits = true;
  permits: (action: DataAction, name: string | null) => boolean = () => true;
  auditFailure: Error | null = null;
  time = Date.UTC(2030, 0, 1);

  constructor(options: Partial<DataPlaneOptions> = {}) {
    const now = (): number => this.time;
    this.objects = new MemoryObjects(now);
    this.plane = new DataPlane({
      objects: (): VaultObjects => this.objects,
      access: {
        vault: (name) => (name.toLowerCase() === 'kv1' ? this.settings : undefined),
        admitsAddress: () => this.admits,
        permits: (_vault, _caller, action, object) => this.permits(action, object?.name ?? null),
      },
      audit: {
        append: async (record) => {
          if (this.auditFailure !== null) throw this.auditFailure;
          this.records.push(record);
        },
      },
      now,
      ...options,
    });
  }

  /** @param target path, with a query or else a plain api-version */
  async send(
    method: string,
    target: string,
    body: object | string | Uint8Array = '',
    vaultName = 'kv1',
  ): Promise<Sent> {
    const [path = '', query = 'api-version=7.4'] = target.split(/\?(.*)/s);
    const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const reply = await this.plane.handle({
      method,
      vaultName,
      baseUrl,
      path,
      query,
      body: Buffer.from(bytes),
      caller: testCaller,
      requestId: 'request-1',
    });
    const text = reply.body.toString('utf8');
    return {
      status: reply.status,
      headers: reply.headers,
      text,
      json: text === '' ? undefined : JSON.parse(text),
      reply,
    };
  }
}

/** A JSON object's members. */
export function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, `no object: ${String(value)}`);
  return value as Record<string, unknown>;
}
