import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { SecretBytes } from '@kannuki/core';
import { FileAnchorStore } from '../audit/anchor.ts';
import { AuditLog, type OpenAuditLogOptions } from '../audit/audit-log.ts';
import { ChainKey } from '../audit/chain-key.ts';
import type { AuditRecord } from '../service/audit-port.ts';
import { ScratchFolder } from './scratch-vaults.ts';

export function chainKey(fill = 7): ChainKey {
  return new ChainKey(SecretBytes.take(Buffer.alloc(32, fill)));
}

export function auditRecord(more: Partial<AuditRecord> = {}): AuditRecord {
  return {
    time: Date.UTC(2026, 0, 2, 3, 4, 5),
    requestId: randomUUID(),
    operation: 'SecretGet',
    vault: 'kv1',
    object: 'secrets/name/0123456789abcdef0123456789abcdef',
    objectId: 'vm:1',
    applicationId: null,
    address: '10.0.0.1',
    status: 200,
    error: null,
    ...more,
  };
}

/** An audit log in a folder of its own, that can be closed and opened again. */
export class ScratchAudit implements AsyncDisposable {
  readonly scratch: ScratchFolder;
  readonly folder: string;
  readonly anchors: FileAnchorStore;

  private constructor(scratch: ScratchFolder) {
    this.scratch = scratch;
    this.folder = join(scratch.path, 'audit');
    this.anchors = new FileAnchorStore(join(scratch.path, 'anchor'));
  }

  static async make(): Promise<ScratchAudit> {
    return new ScratchAudit(await ScratchFolder.make());
  }

  open(options: Partial<OpenAuditLogOptions> = {}): Promise<AuditLog> {
    return AuditLog.open({ folder: this.folder, chainKey: chainKey(), anchors: this.anchors, ...options });
  }

  /** So many records more, and an orderly end. @param segmentBytes 1: each record in a segment of its own */
  async fill(count: number, segmentBytes = 64 * 1024 * 1024): Promise<void> {
    await using log = await this.open({ segmentBytes });
    for (let index = 0; index < count; index += 1) await log.append(auditRecord({ object: `secrets/s${index}` }));
  }

  segment(number: number): string {
    return join(this.folder, `audit-0000000${number}.jsonl`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scratch[Symbol.asyncDispose]();
  }
}
