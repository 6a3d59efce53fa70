import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataDevice, smallVmFor } from '../power-cut/small-vm.ts';
import type { DecryptInput, DecryptResult, PlainAgain } from './scenarios/decrypt.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

// The cuts are on ext4, so the other one is here.
for (const fileSystem of ['xfs'] as const) {
  test(`${fileSystem}: decrypted while a program writes, refused where it must be, encrypted again, and left to the next boot where it is busy`, async () => {
    const vm = smallVmFor(fileSystem);
    await using scratch = await makeScratchVm(vm);
    const { vaultUrl, kekId } = scratch;
    const result = await runInUml<DecryptResult>({
      scenario: join(import.meta.dirname, 'scenarios/decrypt.ts'),
      input: { vm, fileSystem, vaultUrl, kekId } satisfies DecryptInput,
      disks: [scratch.disk],
      keep: scratch.keep,
      memoryMiB: 512,
      timeoutSeconds: 600,
    });

    const refused = { code: 'KNK-VOL-0040', changedNothing: true };
    assert.deepEqual(result.openFile, { ...refused, rules: ['REQ-051'] });
    assert.deepEqual(result.changedFstab, { ...refused, rules: ['REQ-048'] });
    assert.deepEqual(result.closed, { ...refused, rules: ['REQ-214'] });

    // The volume is small and soon plain, so a look may come late (decrypt-large-files.lab.ts has one that cannot); none may call it encrypted.
    assert.ok(result.seen.length > 0);
    for (const seen of result.seen) assert.match(seen, /^DecryptionInProgress \d|^NotEncrypted 0$|^undefined/);

    assert.ok(result.promised > 24);
    assert.equal(typeof result.downtimeSeconds, 'number');
    assertPlain(result.plain);
    assert.deepEqual(result.secondDecrypt, { code: 'KNK-VOL-0007', rules: [], changedNothing: true });

    assert.equal(result.encryptedAgain, 'Encrypted');
    assert.equal(result.busy.code, 'KNK-VOL-0041');
    assert.deepEqual([result.busy.state, result.busy.device], ['NotEncrypted', '/dev/mapper/kn_srv_data0']);
    assert.equal(result.fstabIsBackWhileBusy, true);
    assertPlain(result.afterReboot);
  });
}

function assertPlain(plain: PlainAgain): void {
  assert.deepEqual(plain, {
    state: 'NotEncrypted',
    device: dataDevice,
    fstabIsBack: true,
    crypttabLines: 0,
    units: [],
    headers: [],
    journals: 0,
    damaged: [],
    secrets: ['KNK-KVT-0004', 'KNK-KVT-0004'],
  });
}
