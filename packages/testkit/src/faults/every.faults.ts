import type { DiskBehaviour, FaultyDisk } from './disk-behaviour.ts';
import { allOperations } from './run-faults.ts';
import { testDataReadOnly } from './test-data-read-only.ts';
import { testIoErrors } from './test-io-errors.ts';
import { testKilled } from './test-killed.ts';
import { testOsDisk } from './test-os-disk.ts';
import { testOutOfMemory } from './test-out-of-memory.ts';
import { testVaultGone } from './test-vault-gone.ts';

/** `npm run lab:faults`: every fault in every operation. CI has the short ones (`*.lab.ts`). `KANNUKI_FAULTS=NAME,NAME` chooses operations. */
const chosen = process.env.KANNUKI_FAULTS?.split(',') ?? allOperations;
const conversions = chosen.filter((name) => name !== 'format' && name !== 'rotate-passphrase');
const disks: readonly (readonly [FaultyDisk, DiskBehaviour])[] = [
  ['vm-data', { kind: 'write-errors' }],
  // The disk is pulled out.
  ['vm-data', { kind: 'dead-from', bytes: 0 }],
  ['vm-state', { kind: 'write-errors' }],
];

testKilled(chosen);
for (const fault of ['full', 'read-only'] as const) testOsDisk(chosen, fault);
for (const dies of ['before', 'after'] as const) testVaultGone(chosen, dies, 1);
testOutOfMemory(conversions);
testDataReadOnly(conversions);
for (const operation of conversions) {
  for (const [disk, behaviour] of disks) testIoErrors({ operation, disk, behaviour });
}
