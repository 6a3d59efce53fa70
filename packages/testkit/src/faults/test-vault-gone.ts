import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WayOfDying } from './dying-vault.ts';
import { assertEndings, assertNothingLost, runFaults } from './run-faults.ts';
import type { VaultGoneInput, VaultGoneResult } from './scenarios/vault-gone.ts';

/** @param every 1: each call of the vault is one that fails; 3: each third */
export function testVaultGone(operations: readonly string[], dies: WayOfDying, every: number): void {
  test(`the vault goes away ${dies} a call (${operations.join(', ')}): the volume goes on, and the same command ends it later`, async () => {
    const input = { operations, dies, every };
    const { attempts, endings } = await runFaults<VaultGoneInput, VaultGoneResult>('vault-gone.ts', input);
    for (const operation of operations) {
      const tried = attempts.filter((attempt) => attempt.operation === operation);
      assert.ok(tried.length >= 10 / every, `${operation}: only ${tried.length} calls`);
    }
    for (const attempt of attempts) assert.equal(attempt.code, 'KNK-KVT-0001', JSON.stringify(attempt));
    assertNothingLost(attempts);
    assertEndings(endings, operations);
  });
}
