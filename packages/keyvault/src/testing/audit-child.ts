import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { FileAnchorStore } from '../audit/anchor.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { auditRecord, chainKey } from './scratch-audit.ts';

/**
 * Appends from several callers at once until it is killed: `audit-child.ts FOLDER`. A request id goes out (unbuffered)
 * only when its record was acknowledged.
 */
const [, , folder = ''] = argv;
const log = await AuditLog.open({
  folder: join(folder, 'audit'),
  chainKey: chainKey(),
  anchors: new FileAnchorStore(join(folder, 'anchor')),
  segmentBytes: 20_000,
});

async function appendForEver(): Promise<never> {
  for (;;) {
    const record = auditRecord({ time: Date.now() });
    await log.append(record);
    writeSync(1, `${record.requestId}\n`);
  }
}

await Promise.all(Array.from({ length: 16 }, appendForEver));
