import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationNamed } from '../power-cut/operations.ts';
import type { OsDiskFault } from './os-disk.ts';
import { assertEndings, assertNothingLost, runFaults } from './run-faults.ts';
import type { OsDiskInput, OsDiskResult } from './scenarios/os-disk.ts';

export function testOsDisk(operations: readonly string[], fault: OsDiskFault): void {
  test(`the OS disk is ${fault} after each step (${operations.join(', ')}): a clear error, nothing lost, and the same command goes on`, async () => {
    const { attempts, endings } = await runFaults<OsDiskInput, OsDiskResult>('os-disk.ts', { operations, fault });
    for (const operation of operations) {
      const tried = attempts.filter((attempt) => attempt.operation === operation);
      // The last step before the end may have nothing more to write, and what a step has to write may be done by one before it.
      const least = operationNamed(operation).steps.length - 3;
      assert.ok(tried.length >= least, `${operation}: only ${tried.map(({ where }) => where).join(', ')}`);
      assert.ok(tried.some(({ code }) => code === 'KNK-VOL-0014'));
    }
    // Of the programs that are called it is cryptsetup that writes to this disk too.
    const clear = [null, 'KNK-VOL-0014', 'KNK-VOL-0015', 'KNK-CMD-0001'];
    for (const attempt of attempts) assert.ok(clear.includes(attempt.code), JSON.stringify(attempt));
    assertNothingLost(attempts);
    assertEndings(endings, operations);
  });
}
