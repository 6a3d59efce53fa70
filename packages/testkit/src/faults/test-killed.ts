import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationNamed } from '../power-cut/operations.ts';
import { assertEndings, assertNothingLost, runFaults } from './run-faults.ts';
import { workerProgram } from './run-worker.ts';
import type { KilledInput, KilledResult } from './scenarios/killed.ts';

export function testKilled(operations: readonly string[]): void {
  test(`kill -9 after each step and in the conversion (${operations.join(', ')}): the next process goes on, without a reboot`, async () => {
    const found = await runFaults<KilledInput, KilledResult>('killed.ts', { operations }, { programs: workerProgram });
    for (const operation of operations) {
      const { steps, conversion } = operationNamed(operation);
      const tried = found.attempts.filter((attempt) => attempt.operation === operation);
      assert.equal(tried.length, steps.length + (conversion === null ? 0 : 1));
    }
    // cryptsetup works on, nobody works beside it, and it comes to its end.
    const conversions = operations.filter((operation) => operationNamed(operation).conversion !== null);
    assert.deepEqual(
      found.besideTheOrphan,
      conversions.map(() => 'KNK-VOL-0002'),
    );
    assertNothingLost(found.attempts);
    assertEndings(found.endings, operations);
  });
}
