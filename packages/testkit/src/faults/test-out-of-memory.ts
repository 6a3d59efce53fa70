import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEndings, assertNothingLost, runFaults } from './run-faults.ts';
import { workerProgram } from './run-worker.ts';
import type { OutOfMemoryInput, OutOfMemoryResult } from './scenarios/out-of-memory.ts';

export function testOutOfMemory(operations: readonly string[]): void {
  test(`512 MiB, and all of it eaten in the conversion (${operations.join(', ')}): who works on it is killed, no file is lost, the next one ends it`, async () => {
    const input = { operations };
    const programs = workerProgram;
    const found = await runFaults<OutOfMemoryInput, OutOfMemoryResult>('out-of-memory.ts', input, { programs });
    assert.deepEqual(
      found.workers,
      operations.map((operation) => ({ operation, code: null, signal: 'SIGKILL' })),
    );
    // Each time the worker and the one that ate.
    assert.ok(found.killedByKernel >= 2 * operations.length, `${found.killedByKernel} processes were killed`);
    for (const { code, message } of found.attempts) assert.equal(code, null, message);
    assertNothingLost(found.attempts);
    assertEndings(found.endings, operations);
  });
}
