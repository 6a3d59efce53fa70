import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hasCode } from '@kannuki/core';
import { auditRecord, chainKey, ScratchAudit } from '../testing/scratch-audit.ts';
import { readAudit } from './read.ts';
import { verifyAudit } from './verify.ts';

const child = fileURLToPath(new URL('../testing/audit-child.ts', import.meta.url));

/** Lets the child append, kills it in the middle of it, and returns the ids that it acknowledged. */
async function appendAndKill(folder: string, atLeast: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [child, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const enough = new Promise<void>((resolve) => {
    writer.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (output.split('\n').length > atLeast) resolve();
    });
  });
  await Promise.race([enough, once(writer, 'exit').then(() => assert.fail('the writer ended by itself'))]);
  // Anywhere within the next batches, not just after one.
  await sleep(Math.random() * 20);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  return output.split('\n').slice(0, -1);
}

async function tornFiles(audit: ScratchAudit): Promise<readonly string[]> {
  return (await readdir(audit.folder)).filter((name) => name.endsWith('.torn'));
}

describe('the audit log after a crash', () => {
  it('has every acknowledged record after kill -9 of 16 callers, and a whole chain', { timeout: 120_000 }, async () => {
    await using audit = await ScratchAudit.make();
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 3; kill += 1) {
      acknowledged.push(...(await appendAndKill(audit.scratch.path, 150)));
      await using log = await audit.open();
      const verified = await log.verify();
      assert.deepEqual(verified.problems, []);
      assert.ok(verified.segments > 1);
      const ids = new Set((await log.read({ limit: 10_000 })).map(({ requestId }) => requestId));
      for (const id of acknowledged) assert.ok(ids.has(id), `${id} was acknowledged and is gone`);
    }
    assert.ok(acknowledged.length >= 450);
  });

  it('cut at any byte behind its anchor: the whole records stay, the rest is moved aside and on record', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(2);
    const anchor = (await audit.anchors.read()) ?? '';
    await audit.fill(2);
    const whole = await readFile(audit.segment(1));
    const starts = [...whole.entries()].flatMap(([index, byte]) => (byte === 10 ? [index + 1] : []));
    const [, second = 0, third = 0] = starts;
    // Every byte would take long; these are all around the ends of the lines, and some in between.
    const around = [second, third, whole.length].flatMap((end) => [end - 1, end, end + 1, end + 100]);
    for (const size of around.filter((one) => one >= second && one <= whole.length)) {
      await writeFile(audit.segment(1), whole.subarray(0, size));
      await audit.anchors.write(anchor);
      await audit.fill(1);
      const torn = !starts.includes(size);
      const left = starts.filter((start) => start <= size).at(-1) ?? 0;
      const read = await readAudit(audit.folder, { limit: 10 });
      const expected = starts.indexOf(left) + 1 + (torn ? 1 : 0) + 1;
      assert.equal(read.length, expected, `cut to ${size}`);
      assert.equal(
        read.some(({ operation }) => operation === 'AuditLogTorn'),
        torn,
      );
      assert.deepEqual((await verifyAudit(audit.folder, chainKey(), audit.anchors)).problems, []);
      const files = await tornFiles(audit);
      assert.equal(files.length, torn ? 1 : 0);
      for (const name of files) {
        assert.deepEqual(await readFile(join(audit.folder, name)), whole.subarray(left, size));
        await rm(join(audit.folder, name));
      }
    }
  });

  it('moves aside what a power cut leaves in a new segment: nothing, holes, half a line', async () => {
    for (const rest of [Buffer.alloc(0), Buffer.alloc(5000), Buffer.from('{"sequence":3,"ti')]) {
      await using audit = await ScratchAudit.make();
      await audit.fill(2);
      await writeFile(audit.segment(2), rest);
      await audit.fill(2);
      const verified = await verifyAudit(audit.folder, chainKey(), audit.anchors);
      assert.deepEqual(verified.problems, []);
      assert.equal(verified.records, rest.length === 0 ? 4 : 5);
      assert.equal((await tornFiles(audit)).length, rest.length === 0 ? 0 : 1);
    }
  });

  it('does not take for a torn end what is more than a batch can be', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(2);
    await appendFile(audit.segment(1), Buffer.alloc(1024 * 1024 + 1));
    await audit.fill(1);
    const { problems } = await verifyAudit(audit.folder, chainKey(), audit.anchors);
    assert.match(problems.map(({ what }) => what.en).join('; '), /found the log broken/);
    assert.deepEqual(await tornFiles(audit), []);
  });

  it('verifies an unopened log with half a line as such', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(2);
    await appendFile(audit.segment(1), '{"sequence":3');
    const { problems } = await verifyAudit(audit.folder, chainKey(), audit.anchors);
    assert.deepEqual(
      problems.map(({ line }) => line),
      [3],
    );
    assert.match(problems[0]?.what.en ?? '', /cut short/);
  });
});

describe('the audit log that is shortened while it is open and cannot be written', () => {
  it('gets no hole: it refuses until it is opened again, and then says what it found', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(3);
    const log = await audit.open({ segmentBytes: 1 });
    // In the place of the next segment.
    await mkdir(audit.segment(2));
    await assert.rejects(log.append(auditRecord()), /KNK-AUD-0001.*EEXIST/);
    await rm(audit.segment(2), { recursive: true });
    await truncate(audit.segment(1), 100);
    const deadline = performance.now() + 10_000;
    const refusal = async (): Promise<string> => log.append(auditRecord()).then(() => 'taken', String);
    let answer = await refusal();
    for (; /EEXIST/.test(answer) && performance.now() < deadline; answer = await refusal()) await sleep(50);
    assert.match(answer, /KNK-AUD-0001.*shorter than it was/);
    await log.close();
    await audit.fill(1);
    const { problems } = await verifyAudit(audit.folder, chainKey(), audit.anchors);
    assert.match(problems.map(({ what }) => what.en).join('; '), /cut short.*found the log broken/);
  });
});

/** A file system of so few bytes that it is soon full. */
async function onSmallDisk(work: (folder: string) => Promise<void>): Promise<void> {
  await using audit = await ScratchAudit.make();
  const folder = audit.scratch.file('small');
  await mkdir(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs', folder]);
  try {
    await work(folder);
  } finally {
    execFileSync('umount', [folder]);
  }
}

describe('the audit log on a full disk', () => {
  it('refuses the batch and what comes after it, leaves no part of it, and goes on when there is room', () =>
    onSmallDisk(async (small) => {
      await using audit = await ScratchAudit.make();
      const folder = join(small, 'audit');
      await using log = await audit.open({ folder });
      await Promise.all(Array.from({ length: 20 }, () => log.append(auditRecord())));
      const ballast = join(small, 'ballast');
      await using file = await open(ballast, 'w');
      // All but two pages: the next batch is written in part.
      const { size } = await stat(join(folder, 'audit-00000001.jsonl'));
      await file.writeFile(Buffer.alloc(256 * 1024 - Math.ceil(size / 4096) * 4096 - 2 * 4096));
      const refused = await Promise.allSettled(Array.from({ length: 200 }, () => log.append(auditRecord())));
      assert.ok(refused.every((one) => one.status === 'rejected' && hasCode(one.reason, 'KNK-AUD-0001')));
      await assert.rejects(log.append(auditRecord()), (error) => hasCode(error, 'KNK-AUD-0001'));
      assert.equal(log.end.sequence, 20);
      assert.equal((await log.verify()).ok, true);

      await truncate(ballast, 0);
      const deadline = performance.now() + 10_000;
      const goesOn = async (): Promise<boolean> =>
        log.append(auditRecord()).then(
          () => true,
          () => false,
        );
      while (!(await goesOn())) {
        assert.ok(performance.now() < deadline, 'it did not go on');
        await sleep(50);
      }
      const verified = await log.verify();
      assert.deepEqual(verified.problems, []);
      assert.equal(verified.records, 22);
      assert.equal((await log.read({ limit: 2 })).at(0)?.operation, 'AuditLogTorn');
    }));
});
