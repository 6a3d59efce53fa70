import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultVmInput } from './fault-vm.ts';
import { runFaults } from './run-faults.ts';
import { workerProgram } from './run-worker.ts';
import type { WrongDiskResult } from './scenarios/wrong-disk.ts';

test('another disk in the place of the volume’s: refused at every stage, and not one byte of it has changed', async (t) => {
  const options = { programs: workerProgram, otherDisk: true };
  const result = await runFaults<FaultVmInput, WrongDiskResult>('wrong-disk.ts', {}, options);
  for (const { stage, other, codes, isUnchanged, left } of result.cases) {
    await t.test(`${stage}: ${other}`, () => {
      assert.deepEqual({ isUnchanged, left }, { isUnchanged: true, left: [] }, codes.join(', '));
      assert.ok(codes.includes('KNK-VOL-0004'), codes.join(', '));
      assert.ok(!codes.includes('done'), codes.join(', '));
    });
  }
  await t.test('a copy with the same UUID beside it: not encrypted', () => {
    assert.equal(result.withCopy.code, 'KNK-VOL-0006');
    assert.ok(result.withCopy.rules.includes('REQ-043'));
    assert.equal(result.withCopy.areUnchanged, true);
  });
  await t.test('disks that have changed their names: the one in use stays in use, the other one is left alone', () => {
    const { codes, isUnchanged, isStillMounted } = result.renamed;
    assert.deepEqual(
      { codes, isUnchanged, isStillMounted },
      { codes: ['KNK-VOL-0004'], isUnchanged: true, isStillMounted: true },
    );
  });
  await t.test('once its own disk is back the work goes on, and every file is there', () => {
    assert.deepEqual(result.endings, []);
  });
});
