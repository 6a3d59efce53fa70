import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeLabVault } from '../torture/lab-vault.ts';
import { disksMiB, growCases, grownByMiB } from './grow/disks.ts';
import type { GrowInput, GrowResult } from './scenarios/grow.ts';
import { scratch } from './scratch.ts';
import { runInUml } from './uml.ts';

const mebibyte = 1024 * 1024;

test('volumes grow with their disks while programs write to them, and every file is as it was', async () => {
  const folder = mkdtempSync(join(scratch(), 'kannuki-grow-'));
  try {
    const disks = disksMiB.map((_, index) => join(folder, `disk${index}.img`));
    for (const [index, disk] of disks.entries()) resize(disk, disksMiB[index] ?? 0);
    const keep = join(folder, 'keep');
    mkdirSync(keep);
    const { vaultUrl } = await makeLabVault(keep);
    const boot = (which: GrowInput['boot']): Promise<GrowResult> =>
      runInUml<GrowResult>({
        scenario: join(import.meta.dirname, 'scenarios/grow.ts'),
        programs: { kannuki: fileURLToPath(import.meta.resolve('@kannuki/cli/main')) },
        input: { boot: which, vaultUrl } satisfies GrowInput,
        disks,
        keep,
        memoryMiB: 640,
        timeoutSeconds: 600,
      });
    await boot('make');
    // The first one is that of the OS.
    for (const [index, disk] of disks.entries()) if (index > 0) resize(disk, (disksMiB[index] ?? 0) + grownByMiB);
    assertGrown(await boot('grow'));
    assert.deepEqual((await boot('again')).problems, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function resize(disk: string, sizeMiB: number): void {
  writeFileSync(disk, '', { flag: 'a' });
  truncateSync(disk, sizeMiB * mebibyte);
}

function assertGrown({ grown, refusals, problems, byProgram }: GrowResult): void {
  assert.deepEqual(problems, []);
  for (const [index, { place, layers }] of growCases.entries()) {
    const found = grown[index] ?? assert.fail(place.point);
    assert.equal(found.point, place.point);
    assert.deepEqual(
      found.layers.map(({ layer }) => layer),
      layers,
      place.point,
    );
    assert.deepEqual(
      found.again.map(({ layer }) => layer),
      layers,
      place.point,
    );
    for (const { layer, bytesBefore, bytesAfter } of found.again)
      assert.equal(bytesAfter, bytesBefore, `${place.point} ${layer}`);
    // The file system has nearly all of it, whatever it needs for itself.
    assert.ok(found.bytesAfter - found.bytesBefore > (grownByMiB - 16) * mebibyte, JSON.stringify(found));
    assert.deepEqual(found.damaged, []);
    assert.ok(found.written > 0);
  }
  assert.deepEqual(
    byProgram?.map(({ target, layers }) => [target, layers.map(({ layer }) => layer)]),
    [
      ['/srv/whole', ['disk', 'mapping', 'file-system']],
      ['/srv/gpt', ['disk', 'partition', 'file-system']],
    ],
  );

  const refused = (name: string, code: string, says: string): void => {
    assert.equal(refusals[name]?.code, code, name);
    assert.ok(refusals[name]?.findings.join().includes(says), JSON.stringify(refusals[name]));
  };
  refused('/srv/first', 'KNK-VOL-0070', 'REQ-255: another partition lies behind it');
  refused('/dev/ubde', 'KNK-VOL-0070', 'REQ-255: swap space does not grow');
  refused('/dev/ubdc', 'KNK-VOL-0070', 'REQ-255: several volumes lie on it');
  refused('/nowhere', 'KNK-VOL-0100', '');
  refused('decrypt', 'KNK-VOL-0072', '');
  refused('locked', 'KNK-VOL-0070', 'the volume is locked');
}
