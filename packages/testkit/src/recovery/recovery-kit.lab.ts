import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeScratchVm } from '../lab/scratch-vm.ts';
import { runInUml } from '../lab/uml.ts';
import { smallVm } from '../power-cut/small-vm.ts';
import type { RecoveryKitInput, RecoveryKitResult } from './scenarios/recovery-kit.ts';

test('a recovery kit opens the volume with stock cryptsetup and a passphrase for people, and is made only when it is sound', async () => {
  await using vm = await makeScratchVm(smallVm);
  const input: RecoveryKitInput = { vm: smallVm, vaultUrl: vm.vaultUrl, kekId: vm.kekId };
  const result = await runInUml<RecoveryKitResult>({
    scenario: join(import.meta.dirname, 'scenarios/recovery-kit.ts'),
    programs: { kannuki: fileURLToPath(import.meta.resolve('@kannuki/cli/main')) },
    input,
    disks: [vm.disk],
    keep: vm.keep,
    memoryMiB: 512,
    timeoutSeconds: 300,
  });
  const { whileConverting, onItself, overAnotherFile, tooWeak, made, withoutTerminal, ...rest } = result;
  assert.equal(whileConverting?.code, 'KNK-VOL-0204');
  assert.match(whileConverting.findings[0]?.message ?? '', /a conversion is pending/);
  assert.equal(onItself?.code, 'KNK-VOL-0204');
  assert.match(onItself.findings[0]?.message ?? '', /lies on the volume/);
  assert.equal(overAnotherFile?.code, 'KNK-VOL-0204');
  assert.match(overAnotherFile.findings[0]?.message ?? '', /is no kit/);
  assert.equal(tooWeak?.code, 'KNK-VOL-0205');
  assert.deepEqual([withoutTerminal.exitCode, withoutTerminal.errorCode], [2, 'KNK-CLI-0005']);
  assert.equal(made.exitCode, 0, made.stderr + made.stdout);
  assert.equal((JSON.parse(made.stdout) as { readonly kit: string }).kit, '/root/data0.kit');
  const { text, ...others } = rest;
  assert.deepEqual(others, {
    headerIsUntouched: true,
    modes: ['600', '600'],
    leftInMemory: [],
    exitCodes: { kitPassphrase: 0, machinePassphrase: 2 },
    kdfs: ['argon2id'],
    damagedFiles: [],
  });
  assert.match(text, /cryptsetup open --header data0\.kit/);
  assert.match(text, /リカバリー キット/);
});
