import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallVm } from '../power-cut/small-vm.ts';
import type { UsedOnlyRefusals } from './scenarios/used-only-refusals.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

test('what cannot be shrunk is refused, and a shrink that fails is taken back', async () => {
  const vm = { ...smallVm, dataMiB: 320 };
  await using scratch = await makeScratchVm(vm);
  const found = await runInUml<UsedOnlyRefusals>({
    scenario: join(import.meta.dirname, 'scenarios/used-only-refusals.ts'),
    input: { vm, vaultUrl: scratch.vaultUrl, kekId: scratch.kekId },
    disks: [scratch.disk],
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  const { filled, stuck, tooLong, xfs } = found;
  assert.equal(filled.code, 'KNK-VOL-0061');
  assert.equal(stuck.code, 'KNK-CMD-0001');
  for (const failed of [filled, stuck]) {
    assert.deepEqual(failed.differences, [], 'fstab, files, headers and journals are as they were');
    assert.ok(failed.fileSystemBytes > 270 * 1024 * 1024, 'it has its size again');
    assert.ok(failed.isMountedPlain && failed.isClean);
  }
  assert.equal(tooLong.code, 'KNK-VOL-0006');
  assert.match(tooLong.findings.join(), /--max-downtime/);
  assert.equal(xfs.code, 'KNK-VOL-0006');
  assert.match(xfs.findings.join(), /xfs cannot be shrunk/);
});
