import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeLabVault } from '../torture/lab-vault.ts';
import type { GrowCutInput, GrowCutResult } from './scenarios/grow-cut.ts';
import type { GrowTableResult } from './scenarios/grow-table.ts';
import { scratch } from './scratch.ts';
import { runInUml, UmlMachine } from './uml.ts';

const mebibyte = 1024 * 1024;
const layers = ['disk', 'partition', 'mapping', 'physical-volume', 'logical-volume', 'file-system'];
/** What the boot itself gives the new size: dm-crypt goes to the end of its device, as its header says. */
const grownByBoot = 'mapping';

test('the power goes after each layer; the same command ends what was begun, and every file is as it was', async () => {
  const folder = mkdtempSync(join(scratch(), 'kannuki-grow-cut-'));
  try {
    const disks = [256, 340].map((sizeMiB, index) => {
      const disk = join(folder, `disk${index}.img`);
      writeFileSync(disk, '');
      truncateSync(disk, sizeMiB * mebibyte);
      return disk;
    });
    const keep = join(folder, 'keep');
    mkdirSync(keep);
    const { vaultUrl } = await makeLabVault(keep);
    const optionsFor = (boot: GrowCutInput['boot'], stopAfter: number | null) => ({
      scenario: join(import.meta.dirname, 'scenarios/grow-cut.ts'),
      input: { boot, vaultUrl, stopAfter } satisfies GrowCutInput,
      disks,
      keep,
      memoryMiB: 512,
      timeoutSeconds: 300,
    });
    const { bytes } = await runInUml<GrowCutResult>(optionsFor('make', null));
    truncateSync(disks[1] ?? '', 420 * mebibyte);

    for (const [index] of layers.entries()) {
      const machine = await UmlMachine.start(optionsFor('grow', index));
      await machine.waitFor((line) => line.startsWith('stopped '));
      const told = await machine.powerCut();
      const wanted = layers.slice(0, index + 1).map((layer, at) => {
        const grew = layer !== 'disk' && at === index && layer !== grownByBoot;
        return `${layer}: ${grew ? 'grew' : 'had grown'}`;
      });
      assert.deepEqual(told, [`stopped ${wanted.join(', ')}; `]);
    }
    const ended = await runInUml<GrowCutResult>(optionsFor('grow', null));
    assert.deepEqual(ended.problems, []);
    assert.deepEqual(
      ended.layers,
      layers.map((layer) => `${layer}: had grown`),
    );
    assert.ok(ended.bytes - bytes > 64 * mebibyte, `${bytes} and then ${ended.bytes}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('after each write to a GPT the kernel sees the partition, with the old size and then with the new one', async () => {
  const found = await runInUml<GrowTableResult>({
    scenario: join(import.meta.dirname, 'scenarios/grow-table.ts'),
    disks: [],
  });
  const old = 6 * mebibyte;
  for (const [sectorBytes, sizes] of Object.entries(found)) {
    const last = sizes.at(-1) ?? assert.fail(sectorBytes);
    assert.ok(last !== null && last > 20 * mebibyte - 64 * 4096, `${sectorBytes}: ${last}`);
    // Two parts of the other table, the array elsewhere; then the header, the array at home, the header, the protective MBR.
    assert.deepEqual(sizes, [old, old, old, old, last, last, last, last], sectorBytes);
  }
});
