import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PromisedFile } from '../power-cut/files.ts';
import { smallVm } from '../power-cut/small-vm.ts';
import type { AfterKill, PaceInput, PaceResult } from './scenarios/pace.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml, UmlMachine } from './uml.ts';

/** It takes seconds to convert, so that there is something to pause, to interrupt and to kill. */
const roomy = { ...smallVm, dataMiB: 1536 };

test('a conversion is paused, interrupted and begun again; killed in a piece it says so, and the next boot ends it', async (t) => {
  await using vm = await makeScratchVm(roomy);
  const scenario = join(import.meta.dirname, 'scenarios/pace.ts');
  const machine = (begins: boolean, promised: readonly PromisedFile[]) => ({
    scenario,
    input: { vm: roomy, vaultUrl: vm.vaultUrl, begins, promised } satisfies PaceInput,
    disks: [vm.disk],
    keep: vm.keep,
    memoryMiB: 512,
    timeoutSeconds: 240,
  });
  const first = await UmlMachine.start(machine(true, []));
  await first.waitFor((line) => line.startsWith('result:'));
  const told = await first.powerCut();
  const result = JSON.parse(
    told.find((line) => line.startsWith('result:'))?.slice('result:'.length) ?? '',
  ) as PaceResult;
  const promised = told.flatMap((line) => {
    const [, sha256, path] = /^file:([0-9a-f]{64}):(.+)$/.exec(line) ?? [];
    return sha256 === undefined || path === undefined ? [] : [{ path, sha256 }];
  });

  await t.test('a pause ends the program between two pieces, is told, and nothing moves meanwhile', () => {
    assert.equal(result.pausedState, 'EncryptionInProgress');
    assert.equal(result.pausedIsTold, true);
    assert.equal(result.bytesWhilePaused, 0);
    assert.equal(result.programsWhilePaused, 0);
  });
  await t.test('an interruption leaves no piece suspended, and the command goes on with the volume', () => {
    assert.equal(result.abortIsTold, true);
    assert.equal(result.piecesAfterAbort, 0);
  });
  await t.test('the kernel does not choose cryptsetup when memory is short', () => {
    assert.equal(result.outOfMemoryScore, -1000);
  });
  await t.test('what was killed in the middle of a piece is not touched again before a reboot', () => {
    assert.equal(result.codeAfterKill, 'KNK-VOL-0011');
  });
  await t.test('the next boot ends it, and every file is intact', async () => {
    assert.equal(promised.length, 24);
    assert.deepEqual(await runInUml<AfterKill>(machine(false, promised)), { damaged: [], state: 'Encrypted' });
  });
});
