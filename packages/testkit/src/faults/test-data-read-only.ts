import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertEndings, assertNothingLost, runFaults } from './run-faults.ts';
import type { DataReadOnlyInput, DataReadOnlyResult } from './scenarios/data-read-only.ts';

export function testDataReadOnly(operations: readonly string[]): void {
  test(`the kernel takes no more writes to the volume's file system in the conversion (${operations.join(', ')}): it ends all the same`, async () => {
    const input = { operations };
    const { attempts, endings } = await runFaults<DataReadOnlyInput, DataReadOnlyResult>('data-read-only.ts', input);
    for (const { code, message, where } of attempts) {
      assert.deepEqual([code, where], [null, 'in the conversion'], message);
    }
    assertNothingLost(attempts);
    assertEndings(endings, operations);
  });
}
