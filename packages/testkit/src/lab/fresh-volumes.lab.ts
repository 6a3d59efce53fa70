import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeLabVault } from '../torture/lab-vault.ts';
import type { FreshInput } from './scenarios/fresh-volumes.ts';
import { scratch } from './scratch.ts';
import { runInUml } from './uml.ts';

interface Attempt {
  readonly exitCode: number;
  readonly errorCode: string | null;
  readonly refusals: readonly string[];
  readonly told: string | null;
  readonly isUnchanged?: boolean;
}

/** Disks of the machine: two with files, a blank one, one that comes later, swap space, the temporary disk; MiB. */
const disksMiB = [160, 160, 360, 160, 48, 160];

async function runCases<Result>(cases: readonly string[]): Promise<Result> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-fresh-'));
  try {
    const disks = disksMiB.map((size, index) => {
      const path = join(folder, `disk${index}.img`);
      writeFileSync(path, '');
      truncateSync(path, size * 1024 * 1024);
      return path;
    });
    const keep = join(folder, 'keep');
    mkdirSync(keep);
    const { vaultUrl } = await makeLabVault(keep);
    return await runInUml<Result>({
      scenario: join(import.meta.dirname, 'scenarios/fresh-volumes.ts'),
      programs: { kannuki: fileURLToPath(import.meta.resolve('@kannuki/cli/main')) },
      input: { vaultUrl, cases } satisfies FreshInput,
      disks,
      keep,
      memoryMiB: 512,
      timeoutSeconds: 600,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function assertRefused(attempt: Attempt, rule: string): void {
  assert.equal(attempt.errorCode, 'KNK-VOL-0006', attempt.told ?? '');
  assert.ok(attempt.refusals.includes(rule), attempt.refusals.join(', '));
  if (attempt.isUnchanged !== undefined) assert.equal(attempt.isUnchanged, true);
}

function assertDone(attempt: Attempt): void {
  assert.equal(attempt.exitCode, 0, attempt.told ?? '');
}

interface Volume {
  readonly state: string;
  readonly fileSystem: string | null;
  readonly keySource: string;
}

test('volumes with files: only the confirmed ones are formatted, and a repeated request leaves what has come since', async (t) => {
  const found = await runCases<{
    readonly notConfirmed: Attempt;
    readonly formatted: Attempt & {
      readonly problems: readonly unknown[];
      readonly hasNewUuid: boolean;
      readonly label: string;
      readonly plaintextFound: boolean;
      readonly locked: string;
      readonly isLuks: boolean;
      readonly newFile: string;
      readonly oldFileIsGone: boolean;
      readonly mode: string;
      readonly volume: Volume;
      readonly testUnlock: readonly boolean[];
      readonly recovery: string;
      readonly fstab: string;
      readonly crypttab: string;
      readonly headerFileIsGone: boolean;
    };
    readonly again: Attempt;
    readonly all: Attempt;
    readonly allAgain: Attempt;
    readonly allAgainEmpty: Attempt & { readonly volume: string };
  }>(['notConfirmed', 'formatted', 'again', 'all', 'allAgain', 'allAgainEmpty']);
  await t.test('not confirmed: refused, not a byte has changed', () => assertRefused(found.notConfirmed, 'REQ-246'));
  await t.test('confirmed: empty, encrypted, same place, label, owner; nothing old on the raw disk', () => {
    const { formatted } = found;
    assertDone(formatted);
    assert.deepEqual(formatted.problems, []);
    assert.equal(formatted.hasNewUuid, true);
    assert.equal(formatted.label, 'mydata');
    assert.equal(formatted.plaintextFound, false);
    assert.equal(formatted.locked, 'Locked');
    assert.equal(formatted.isLuks, true);
    assert.equal(formatted.newFile, 'new');
    assert.equal(formatted.oldFileIsGone, true);
    assert.equal(formatted.mode, '2750');
    assert.equal(formatted.volume.state, 'Encrypted');
    assert.deepEqual(formatted.testUnlock, [true]);
    assert.doesNotMatch(formatted.recovery, /--header|cp \/mnt\/os/);
    assert.match(formatted.fstab, /^# moved to .*\/srv\/data0/m);
    assert.match(formatted.crypttab, /^kn_srv_data0 UUID=[0-9a-f-]{36} none luks,(?!.*header=)/m);
    assert.equal(formatted.headerFileIsGone, true);
  });
  await t.test('a second time: it is encrypted already', () => assert.equal(found.again.errorCode, 'KNK-VOL-0006'));
  await t.test('all data volumes, then again with a new one: the new one stays; without files it goes', () => {
    assertDone(found.all);
    assertDone(found.allAgain);
    assert.equal(found.allAgain.isUnchanged, true);
    assertDone(found.allAgainEmpty);
    assert.equal(found.allAgainEmpty.volume, 'Encrypted');
  });
});

describe('blank disks, swap space and the temporary disk', async () => {
  const found = await runCases<{
    readonly notBlank: readonly (Attempt & { readonly trace: string })[];
    readonly badPoint: readonly Attempt[];
    readonly blank: Attempt & { readonly volume: Volume; readonly mounts: string };
    readonly swap: Attempt & {
      readonly swaps: string;
      readonly crypttab: string;
      readonly fstabHasLine: boolean;
      readonly unit: string;
      readonly mark: string;
      readonly volume: Volume;
      readonly back: {
        readonly isSameUuid: boolean;
        readonly label: string;
        readonly swaps: string;
        readonly isSameFstab: boolean;
        readonly crypttabHasLine: boolean;
        readonly unitIsGone: boolean;
      };
    };
    readonly swapWithoutUse: Attempt;
    readonly temporary: {
      readonly stopped: string;
      readonly failures: readonly string[];
      readonly refused: Attempt;
      readonly volume: Volume;
      readonly crypttab: string;
      readonly mounts: string;
      readonly oldFileIsGone: boolean;
    };
  }>(['notBlank', 'badPoint', 'blank', 'swap', 'swapWithoutUse', 'temporary']);

  test('a disk with a partition table, data or a signature is not blank: refused, not a byte has changed', () => {
    assert.equal(found.notBlank.length, 3);
    for (const attempt of found.notBlank) assertRefused(attempt, 'REQ-246');
  });

  test('a mount point of the OS, or inside another volume, is refused', () => {
    assert.equal(found.badPoint.length, 2);
    for (const attempt of found.badPoint) assertRefused(attempt, 'REQ-246');
  });

  test('a blank disk becomes an XFS volume, in our file of mounts only', () => {
    assertDone(found.blank);
    assert.equal(found.blank.volume.state, 'Encrypted');
    assert.match(found.blank.mounts, /^\/dev\/mapper\/kn_srv_fresh \/srv\/fresh xfs defaults,nofail 0 2$/m);
  });

  test('swap space: random key, found by its mark, priority kept; and back to what it was', () => {
    const { swap } = found;
    assertDone(swap);
    assert.match(swap.swaps, /^\/dev\/(?:dm-\d+|mapper\/kn_swap_\w+) .*\t5$/m);
    assert.equal(swap.crypttab.includes(` UUID=${swap.mark} /dev/urandom plain,swap,`), true, swap.crypttab);
    assert.match(swap.crypttab, /,offset=2048,/);
    assert.equal(swap.fstabHasLine, false);
    assert.match(swap.unit, /^Options=pri=5$/m);
    assert.deepEqual([swap.volume.state, swap.volume.keySource], ['Encrypted', 'random']);
    const { isSameUuid, label, isSameFstab, crypttabHasLine, unitIsGone, swaps } = swap.back;
    assert.deepEqual(
      [isSameUuid, label, isSameFstab, crypttabHasLine, unitIsGone],
      [true, 'theswap', true, false, true],
    );
    assert.match(swaps, /^\/dev\/ubd\w .*\t5$/m);
  });

  test('swap space that nobody uses is refused, not a byte has changed', () =>
    assertRefused(found.swapWithoutUse, 'REQ-090'));

  test('the temporary disk: refused with files, then anew under a random key, without what ties it to cloud-init', () => {
    const { temporary } = found;
    assertRefused(temporary.refused, 'REQ-169');
    // Stopped with the old disk let go, and gone on with on another one: it is known by its role only.
    assert.deepEqual([temporary.stopped, temporary.failures], ['AbortError', []]);
    assert.deepEqual([temporary.volume.state, temporary.volume.keySource], ['Encrypted', 'random']);
    assert.match(
      temporary.crypttab,
      /^resourceencrypt \/dev\/disk\/cloud\/azure_resource \/dev\/urandom plain,tmp=ext4,/,
    );
    assert.equal(temporary.mounts, '/dev/mapper/resourceencrypt /mnt/resource ext4 defaults,nofail 0 0');
    assert.equal(temporary.oldFileIsGone, true);
  });
});
