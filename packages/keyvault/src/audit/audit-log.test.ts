import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { hasCode } from '@kannuki/core';
import { auditRecord, chainKey, ScratchAudit } from '../testing/scratch-audit.ts';
import { maximumLineBytes } from './line.ts';
import { readAudit } from './read.ts';
import { verifyAudit } from './verify.ts';

describe('the audit log', () => {
  it('keeps what was appended, in order, over several openings, and is whole', async () => {
    await using audit = await ScratchAudit.make();
    const records = Array.from({ length: 40 }, (_, index) => auditRecord({ object: `secrets/s${index}` }));
    for (const part of [records.slice(0, 3), records.slice(3, 20), records.slice(20)]) {
      await using log = await audit.open();
      await Promise.all(part.map((record) => log.append(record)));
      const live = await log.verify();
      assert.equal(live.ok, true, JSON.stringify(live.problems));
    }
    const read = await readAudit(audit.folder, { limit: 100 });
    assert.deepEqual(
      read,
      records.map((record, index) => ({ sequence: index + 1, ...record })),
    );
    for (const key of [chainKey(), null]) {
      const { problems, ...rest } = await verifyAudit(audit.folder, key, audit.anchors);
      assert.deepEqual(problems, []);
      assert.equal(rest.ok, true);
      assert.equal(rest.records, 40);
      assert.equal(rest.last?.sequence, 40);
      assert.equal(rest.keyed, key !== null);
    }
    const lines = (await readFile(audit.segment(1), 'utf8')).trimEnd().split('\n');
    assert.equal(lines.length, 40);
    assert.equal(((await stat(audit.folder)).mode & 0o777).toString(8), '700');
    assert.equal(((await stat(audit.segment(1))).mode & 0o777).toString(8), '600');
    assert.equal(((await stat(audit.anchors.file)).mode & 0o777).toString(8), '600');
  });

  it('begins a new segment when one is full, and each day', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(3, 1);
    assert.deepEqual(
      (await readdir(audit.folder)).toSorted(),
      [1, 2, 3].map((n) => `audit-0000000${n}.jsonl`),
    );
    let day = 1;
    const now = (): number => Date.now() + day * 86_400_000;
    {
      await using log = await audit.open({ now });
      await log.append(auditRecord());
      await log.append(auditRecord());
      day = 0;
      await log.append(auditRecord());
      day = 2;
      await log.append(auditRecord());
    }
    const verified = await verifyAudit(audit.folder, chainKey(), audit.anchors);
    assert.deepEqual(verified.problems, []);
    assert.equal(verified.records, 7);
    assert.equal(verified.segments, 5);
    await audit.fill(1);
    assert.equal((await verifyAudit(audit.folder, chainKey(), audit.anchors)).ok, true);

    await using fresh = await ScratchAudit.make();
    await using log = await fresh.open({ now });
    for (const later of [2, 2, 3, 3]) {
      day = later;
      await log.append(auditRecord());
    }
    assert.equal((await log.verify()).segments, 2);
  });

  it('writes whatever a caller sends as one line of bounded length that steers no terminal', async () => {
    await using audit = await ScratchAudit.make();
    const nasty = ['\n', '\u001b[2J', '\u009b', '\u202e', '"\\', '\ud800', '\u0000', 'é漢😀'].map((text) =>
      text.repeat(9999),
    );
    {
      await using log = await audit.open();
      for (const text of nasty) {
        const all = {
          requestId: text,
          operation: text,
          vault: text,
          object: text,
          objectId: text,
          applicationId: text,
        };
        const status = Number.NaN;
        await log.append(auditRecord({ ...all, address: text, error: text, status, time: Number.POSITIVE_INFINITY }));
      }
      await log.append(auditRecord({ operation: 'x'.repeat(65), address: 'y'.repeat(65) }));
    }
    const content = await readFile(audit.segment(1), 'utf8');
    assert.doesNotMatch(content.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    const lines = content.trimEnd().split('\n');
    assert.equal(lines.length, nasty.length + 1);
    for (const line of lines) assert.ok(Buffer.byteLength(line) <= maximumLineBytes);
    assert.equal((await verifyAudit(audit.folder, chainKey(), audit.anchors)).ok, true);
    const read = await readAudit(audit.folder, { limit: 100 });
    assert.equal(read.at(-1)?.operation, 'x'.repeat(64));
    assert.equal(read.at(-1)?.address, 'y'.repeat(64));
  });

  it('takes thousands of records at once in few writes, and no more than its limit', async () => {
    await using audit = await ScratchAudit.make();
    await using log = await audit.open({ pendingLimit: 5000 });
    const answers = await Promise.allSettled(Array.from({ length: 6000 }, () => log.append(auditRecord())));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    assert.equal(refused.length, 1000);
    assert.ok(refused.every((error) => hasCode(error, 'KNK-AUD-0002')));
    assert.equal(log.end.sequence, 5000);
    await log.append(auditRecord());
    const verified = await log.verify();
    assert.equal(verified.ok, true);
    assert.equal(verified.records, 5001);
  });

  it('keeps its anchor up to date while it is open, and takes nothing when it is closed', async () => {
    await using audit = await ScratchAudit.make();
    const log = await audit.open();
    const written = Promise.withResolvers<void>();
    const { anchors } = audit;
    const write = anchors.write.bind(anchors);
    anchors.write = async (text) => {
      await write(text);
      if (text.includes('"sequence":2,')) written.resolve();
    };
    await log.append(auditRecord());
    await log.append(auditRecord());
    await written.promise;
    await log.append(auditRecord());
    await log.close();
    await log.close();
    assert.match((await anchors.read()) ?? '', /"sequence":3,/);
    await assert.rejects(log.append(auditRecord()), (error) => hasCode(error, 'KNK-AUD-0001'));
  });

  it('does not open where it cannot write', async () => {
    await using audit = await ScratchAudit.make();
    const folder = audit.scratch.file('file');
    await chmod(audit.scratch.path, 0o700);
    await audit.anchors.write('x');
    await assert.rejects(audit.open({ folder: `${audit.anchors.file}/audit` }), (error) =>
      hasCode(error, 'KNK-AUD-0001'),
    );
    await assert.rejects(verifyAudit(folder, null, null), (error) => hasCode(error, 'KNK-AUD-0003'));
    await assert.rejects(readAudit(folder, { limit: 1 }), (error) => hasCode(error, 'KNK-AUD-0003'));
  });
});

describe('reading the audit log', () => {
  it('filters, pages, and without a place to begin answers the newest', async () => {
    await using audit = await ScratchAudit.make();
    {
      await using log = await audit.open({ segmentBytes: 2000 });
      for (let index = 0; index < 30; index += 1) {
        const vault = index % 3 === 0 ? 'KV1' : 'kv2';
        const operation = index % 2 === 0 ? 'SecretGet' : 'KeyUnwrap';
        await log.append(auditRecord({ time: index * 1000, vault, operation, objectId: `vm:${index % 5}` }));
      }
      assert.equal((await log.read({ limit: 1 })).at(0)?.sequence, 30);
    }
    const rows: [Parameters<typeof readAudit>[1], number[]][] = [
      [{ limit: 3 }, [28, 29, 30]],
      [{ limit: 3, after: 0 }, [1, 2, 3]],
      [{ limit: 3, after: 28 }, [29, 30]],
      [{ limit: 2, vault: 'kv1' }, [25, 28]],
      [{ limit: 100, vault: 'kv1', operation: 'keyunwrap' }, [4, 10, 16, 22, 28]],
      [{ limit: 100, objectId: 'vm:4' }, [5, 10, 15, 20, 25, 30]],
      [{ limit: 100, from: 3000, to: 6000 }, [4, 5, 6]],
      [{ limit: 1, from: 3000, to: 6000 }, [6]],
      [{ limit: 100, from: Date.now() + 2 * 86_400_000 }, []],
      [{ limit: 0 }, [30]],
    ];
    for (const [query, expected] of rows) {
      const found = await readAudit(audit.folder, query);
      assert.deepEqual(
        found.map(({ sequence }) => sequence),
        expected,
        JSON.stringify(query),
      );
    }
  });
});
