import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess } from '../server-process.ts';
import { durabilityRun } from './run.ts';

test('kill -9 in the middle of secret writes: what was acknowledged is there, and the audit chain is whole', async () => {
  await using server = await ServerProcess.start();
  const report = await durabilityRun(server, { rounds: 2, writes: 300, clients: 8, seed: 5, tell: () => undefined });
  assert.ok(report.acknowledged >= 60, `${report.acknowledged} writes are too few to say anything`);
  assert.deepEqual([report.lost, report.halfWritten, report.auditProblems], [[], [], []]);
});
