import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerProcess } from '../server-process.ts';
import { fuzzRun } from './run.ts';

test('malformed requests to every face: no 5xx, no crash, memory bounded, and it still serves', async () => {
  await using server = await ServerProcess.start();
  const report = await fuzzRun(server, { requests: 4000, seed: 3, connections: 8, tell: () => undefined });
  assert.deepEqual(report.serverErrors, []);
  assert.equal(report.crashed, false);
  assert.equal(report.requests, 4000);
  assert.ok((report.statuses['400'] ?? 0) > 100, 'hardly anything was malformed');
  assert.ok(report.memoryMiBAtEnd < report.memoryMiBAtStart + 400, `${report.memoryMiBAtEnd} MiB`);
  assert.equal(report.stillServes, true);
});
