import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallVm } from '../power-cut/small-vm.ts';
import type { SecretsInput, SecretsResult } from './scenarios/secrets.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

test('rule 5: the passphrase is in no argument, environment, event, error, status, on no disk, and in memory no longer', async () => {
  await using vm = await makeScratchVm(smallVm);
  const input: SecretsInput = { vm: smallVm, vaultUrl: vm.vaultUrl, kekId: vm.kekId };
  const scenario = join(import.meta.dirname, 'scenarios/secrets.ts');
  const found = await runInUml<SecretsResult>({
    scenario,
    input,
    disks: [vm.disk],
    keep: vm.keep,
    timeoutSeconds: 400,
    memoryMiB: 512,
  });
  const { programsRun, bytesOfDisksRead, planted, ...counts } = found;
  assert.ok(programsRun > 10);
  assert.equal(bytesOfDisksRead, (smallVm.stateMiB + smallVm.dataMiB) * 1024 * 1024);
  assert.ok(planted >= 1, 'the search of the memory finds what is there');
  assert.deepEqual(counts, {
    inArguments: 0,
    inEnvironments: 0,
    inEvents: 0,
    inErrors: 0,
    inStatus: 0,
    onDisks: 0,
    inMemory: 0,
  });
});
