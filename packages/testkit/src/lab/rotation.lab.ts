import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallVm } from '../power-cut/small-vm.ts';
import type { RotationInput, RotationResult } from './scenarios/rotation.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

test('a new volume key for a volume in use', async (t) => {
  await using vm = await makeScratchVm(smallVm);
  const found = await runInUml<RotationResult>({
    scenario: join(import.meta.dirname, 'scenarios/rotation.ts'),
    input: { vm: smallVm, vaultUrl: vm.vaultUrl, kekId: vm.kekId } satisfies RotationInput,
    disks: [vm.disk],
    keep: vm.keep,
    memoryMiB: 512,
    timeoutSeconds: 600,
  });
  await t.test('a second key slot: kept by a new passphrase, in the way of a new volume key', () => {
    assert.deepEqual(found.withSecondSlot, { code: 'KNK-VOL-0030', rules: ['ROTATE-SLOTS'], secondOpens: true });
  });
  await t.test('a key that is added while the change waits is kept: the change is taken back', () => {
    assert.deepEqual(found.slotAddedMeanwhile, {
      code: 'KNK-VOL-0030',
      rules: ['ROTATE-HEADER-CHANGED'],
      addedOpens: true,
      step: 'encrypt finished',
    });
  });
  await t.test('sectors that the file system does not fit are refused', () => {
    assert.deepEqual(found.largerSectors, { code: 'KNK-VOL-0030', rules: ['ROTATE-SECTORS'] });
  });
  await t.test('both keys are in the vault before the first block changes', () => {
    assert.equal(found.recordsHoldBothKeys, true);
  });
  await t.test('meanwhile it is encrypted, shows its progress, and refuses another operation', () => {
    const { code, statuses } = found.meanwhile;
    assert.equal(code, 'KNK-VOL-0010');
    for (const { state, percent } of statuses) {
      assert.deepEqual({ state, percent }, { state: 'Encrypted', percent: 100 });
    }
    assert.deepEqual(statuses[0]?.operation, { name: 'rotate-volume-key', percent: 0 });
  });
  await t.test('afterwards it has the other cipher, and one key slot of the passphrase in the vault', () => {
    assert.deepEqual(found.afterKeyRotation, { encryption: 'aes-xts-plain64', keyBytes: [32], wrongs: [] });
  });
  await t.test('every file is as it was', () => assert.deepEqual(found.damaged, []));
});
