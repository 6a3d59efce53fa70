import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallVm } from '../power-cut/small-vm.ts';
import type { EscrowAttempt, EscrowInput } from './scenarios/escrow-before-ink.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

test('rule 1: the vault dies at each of its calls, and not a byte of the disk or of fstab has changed', async () => {
  await using vm = await makeScratchVm(smallVm);
  const input: EscrowInput = { vm: smallVm, vaultUrl: vm.vaultUrl, kekId: vm.kekId };
  const attempts = await runInUml<readonly EscrowAttempt[]>({
    scenario: join(import.meta.dirname, 'scenarios/escrow-before-ink.ts'),
    input,
    disks: [vm.disk],
    keep: vm.keep,
    timeoutSeconds: 300,
  });
  for (const dies of ['before', 'after']) {
    const plain = attempts.filter((attempt) => attempt.dies === dies && attempt.state === 'NotEncrypted');
    // KEK looked at, passphrase wrapped, stored, read back, unwrapped; read for the header; volume key wrapped, unwrapped, stored, read back; …
    assert.ok(plain.length >= 10, `only ${plain.length} calls before the volume is mapped`);
    for (const attempt of plain) {
      const where = JSON.stringify(attempt);
      assert.equal(attempt.diskIsUnchanged, true, where);
      assert.equal(attempt.filesAreUnchanged, true, where);
      assert.equal(attempt.code, 'KNK-KVT-0001', where);
    }
    const calls = new Set(plain.map(({ call }) => call));
    assert.deepEqual([...calls].sort(), ['getSecret', 'keyInfo', 'setSecret', 'unwrapKey', 'wrapKey']);
  }
});
