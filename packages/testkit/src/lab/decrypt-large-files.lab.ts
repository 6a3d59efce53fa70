import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisedBy } from '../power-cut/places.ts';
import type { LargeFilesInput, LargeFilesResult } from './scenarios/large-files.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml, UmlMachine } from './uml.ts';

/**
 * What Azure Disk Encryption loses files at: 20 files of 16 MB on a disk of 700 MB, decrypted with little memory, and a decryption
 * that is interrupted, which it never goes on with.
 */
test('20 large files survive a decryption whose power is cut on the way, and the next boot ends it by itself', async () => {
  const vm = { stateMiB: 112, dataMiB: 700 };
  await using scratch = await makeScratchVm(vm);
  const { vaultUrl, kekId, disk, keep } = scratch;
  const input: LargeFilesInput = { vm, vaultUrl, kekId, files: 20, fileMiB: 16, promised: null };
  const machine = {
    scenario: join(import.meta.dirname, 'scenarios/large-files.ts'),
    disks: [disk],
    keep,
    memoryMiB: 512,
    timeoutSeconds: 900,
  };
  const first = await UmlMachine.start({ ...machine, input });
  await first.waitFor((line) => line === 'a quarter is plain');
  const told = await first.powerCut();
  assert.ok(!told.includes('decrypted'), 'the cut came too late, so the test proves nothing');
  const promised = promisedBy([], told);
  assert.equal(promised.length, 20);

  const result = await runInUml<LargeFilesResult>({ ...machine, input: { ...input, promised } });
  assert.equal(result.stateBefore, 'DecryptionInProgress');
  assert.ok(result.percentBefore !== null && result.percentBefore > 0 && result.percentBefore < 80);
  assert.deepEqual([result.state, result.damaged, result.fileSystemIsClean], ['NotEncrypted', [], true]);
});
