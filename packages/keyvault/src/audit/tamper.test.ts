import assert from 'node:assert/strict';
import { copyFile, open, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { auditRecord, chainKey, ScratchAudit } from '../testing/scratch-audit.ts';
import { type AuditVerification, verifyAudit } from './verify.ts';

function check(audit: ScratchAudit): Promise<AuditVerification> {
  return verifyAudit(audit.folder, chainKey(), audit.anchors);
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).split('\n').slice(0, -1);
}

async function writeLines(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
}

/** Writes a bit wrong at every byte of a file, one after the other, and puts it right again. */
async function atEveryByte(path: string, look: (position: number) => Promise<void>): Promise<void> {
  const content = await readFile(path);
  await using file = await open(path, 'r+');
  for (const [position, byte] of content.entries()) {
    await file.write(Buffer.of(byte ^ 1), 0, 1, position);
    await look(position);
    await file.write(Buffer.of(byte), 0, 1, position);
  }
}

describe('tampering with the audit log is found', () => {
  it('a bit at any byte of the log, and of the anchor', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(3);
    const lastLine = (await readFile(audit.segment(1))).lastIndexOf(10, -2) + 1;
    await atEveryByte(audit.segment(1), async (position) => {
      assert.equal((await check(audit)).ok, false, `byte ${position}`);
      // The public chain does not reach the last line by itself.
      if (position < lastLine) assert.equal((await verifyAudit(audit.folder, null, null)).ok, false, `${position}`);
    });
    await atEveryByte(audit.anchors.file, async (position) => {
      assert.equal((await check(audit)).ok, false, `byte ${position} of the anchor`);
    });
    assert.equal((await check(audit)).ok, true);
  });

  const other = async (): Promise<string[]> => {
    await using log = await ScratchAudit.make();
    await log.fill(9);
    return await linesOf(log.segment(1));
  };
  const edits: [string, (lines: string[]) => string[] | Promise<string[]>, RegExp][] = [
    ['a line removed', (lines) => lines.toSpliced(3, 1), /its number should be 4/],
    ['the first line removed', (lines) => lines.slice(1), /its number should be 1/],
    ['two lines exchanged', ([a = '', b = '', ...rest]) => [b, a, ...rest], /its number should be 1/],
    ['a line twice', (lines) => lines.toSpliced(3, 0, lines[3] ?? ''), /its number should be 5/],
    ['the end cut off', (lines) => lines.slice(0, -1), /ends at 8 but the anchor says 9/],
    ['everything cut off', () => [], /ends at 0 but the anchor says 9/],
    ['a line from another log', async (lines) => lines.with(4, (await other())[4] ?? ''), /MAC is wrong/],
    ['the end of another log', async (lines) => [...lines.slice(0, 8), (await other())[8] ?? ''], /MAC is wrong/],
    ['a line that is none', (lines) => lines.toSpliced(2, 0, '{"sequence":3}'), /not a record/],
    ['a line without end', (lines) => lines.toSpliced(2, 0, 'x'.repeat(300_000)), /not a record/],
  ];
  for (const [name, edit, expected] of edits) {
    it(name, async () => {
      await using audit = await ScratchAudit.make();
      await audit.fill(9);
      await writeLines(audit.segment(1), await edit(await linesOf(audit.segment(1))));
      const { ok, problems } = await check(audit);
      assert.equal(ok, false);
      assert.match(problems.map(({ what }) => what.en).join('; '), expected);
    });
  }

  const moves: [string, (audit: ScratchAudit) => Promise<void>, RegExp][] = [
    ['a segment removed', (audit) => rm(audit.segment(2)), /segment is missing/],
    ['the first segment removed', (audit) => rm(audit.segment(1)), /segment is missing/],
    ['the last segment removed', (audit) => rm(audit.segment(3)), /ends at 2 but the anchor says 3/],
    ['a segment twice', (audit) => copyFile(audit.segment(2), audit.segment(4)), /its number should be 4/],
    [
      'a segment in the place of another',
      (audit) => copyFile(audit.segment(1), audit.segment(2)),
      /number should be 2/,
    ],
    ['the anchor removed', (audit) => rm(audit.anchors.file), /there is no anchor/],
  ];
  for (const [name, move, expected] of moves) {
    it(name, async () => {
      await using audit = await ScratchAudit.make();
      await audit.fill(3, 1);
      await move(audit);
      const { problems } = await check(audit);
      assert.match(problems.map(({ what }) => what.en).join('; '), expected);
    });
  }

  it('by somebody who makes the public chain anew but has no key', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(5);
    await using forged = await ScratchAudit.make();
    await using log = await forged.open({ chainKey: chainKey(8) });
    for (let count = 0; count < 5; count += 1) await log.append(auditRecord({ objectId: 'somebody-else' }));
    await copyFile(forged.segment(1), audit.segment(1));
    assert.equal((await verifyAudit(audit.folder, null, null)).ok, true, 'the public chain alone is content');
    const { problemCount } = await check(audit);
    assert.equal(problemCount, 6, 'each of the five lines, and the anchor');
  });

  it('while the log is open, up to what was acknowledged last', async () => {
    await using audit = await ScratchAudit.make();
    await using log = await audit.open();
    for (let count = 0; count < 5; count += 1) await log.append(auditRecord());
    await writeLines(audit.segment(1), (await linesOf(audit.segment(1))).slice(0, 4));
    const { problems } = await log.verify();
    assert.match(problems[0]?.what.en ?? '', /ends at 4 but the anchor says 5/);
  });
});

describe('a log that was tampered with while it was closed', () => {
  const cases: [string, (audit: ScratchAudit) => Promise<void>][] = [
    ['end cut off', async (audit) => writeLines(audit.segment(1), (await linesOf(audit.segment(1))).slice(0, 3))],
    [
      'last line changed',
      async (audit) => writeFile(audit.segment(1), (await readFile(audit.segment(1))).with(-9, 48)),
    ],
    ['emptied', (audit) => writeFile(audit.segment(1), '')],
    ['removed', (audit) => rm(audit.segment(1))],
    ['anchor removed', (audit) => rm(audit.anchors.file)],
    ['anchor of nobody', (audit) => audit.anchors.write('{"sequence":9}')],
  ];
  for (const [name, tamper] of cases) {
    it(`${name}: opens, says so in a record that stays, and goes on`, async () => {
      await using audit = await ScratchAudit.make();
      await audit.fill(5);
      await tamper(audit);
      const before = await readFile(audit.segment(1)).catch(() => null);
      await audit.fill(2);
      assert.deepEqual(await readFile(audit.segment(1)).catch(() => null), before, 'the evidence stays as it is');
      const { ok, problems, last } = await check(audit);
      assert.equal(ok, false);
      assert.match(problems.map(({ what }) => what.en).join('; '), /found the log broken when it started/);
      assert.ok((last?.sequence ?? 0) >= (name === 'removed' || name === 'emptied' ? 8 : 6));
      // Whoever did it cannot take that record away again.
      await rm(audit.segment(2));
      const again = await check(audit);
      assert.match(again.problems.map(({ what }) => what.en).join('; '), /but the anchor says/);
    });
  }

  it('is whole again for nobody: a second opening adds no second break', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(5);
    await rm(audit.segment(1));
    await audit.fill(1);
    await audit.fill(1);
    const { problems, records } = await check(audit);
    assert.equal(records, 3);
    assert.deepEqual(
      problems.map(({ file, line, sequence }) => [file, line, sequence]),
      [
        ['audit-00000001.jsonl', null, null],
        ['audit-00000002.jsonl', 1, 6],
      ],
    );
  });

  it('a cut of what is newer than the last anchor is not seen: this is the limit that the log states', async () => {
    await using audit = await ScratchAudit.make();
    await audit.fill(3);
    const anchor = (await audit.anchors.read()) ?? '';
    const lines = await linesOf(audit.segment(1));
    await audit.fill(2);
    await audit.anchors.write(anchor);
    await writeLines(audit.segment(1), lines);
    assert.equal((await check(audit)).ok, true);
  });
});
