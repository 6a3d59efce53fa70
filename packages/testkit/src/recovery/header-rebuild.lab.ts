import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeScratchVm } from '../lab/scratch-vm.ts';
import { runInUml } from '../lab/uml.ts';
import { smallVm } from '../power-cut/small-vm.ts';
import { damages } from './scenarios/damage.ts';
import type { HeaderRebuildInput, HeaderRebuildResult } from './scenarios/header-rebuild.ts';

for (const withKek of [true, false]) {
  test(`a header that is lost or damaged is made anew from the vault, ${withKek ? 'with' : 'without'} a KEK, and every file is there`, async (t) => {
    await using vm = await makeScratchVm(smallVm);
    // How the record holds the key has nothing to do with what is wrong with the file: one damage will do for the second.
    const tried = damages.map(({ name }) => name).slice(0, withKek ? damages.length : 1);
    const input: HeaderRebuildInput = {
      vm: smallVm,
      vaultUrl: vm.vaultUrl,
      kekId: withKek ? vm.kekId : null,
      damages: tried,
    };
    const result = await runInUml<HeaderRebuildResult>({
      scenario: join(import.meta.dirname, 'scenarios/header-rebuild.ts'),
      input,
      disks: [vm.disk],
      keep: vm.keep,
      timeoutSeconds: 300,
    });
    await t.test('refused while the volume is open, and while the header is good', () => {
      assert.equal(result.whileOpen?.code, 'KNK-VOL-0201');
      assert.equal(result.whileOpen.findings.length, 2, 'both are said at once');
      assert.equal(result.whileGood?.code, 'KNK-VOL-0201');
      assert.match(result.whileGood.findings[0]?.message ?? '', /the header is good/);
    });
    assert.equal(result.outcomes.length, tried.length);
    for (const [index, damage] of damages.slice(0, tried.length).entries()) {
      await t.test(damage.name, () => {
        assert.deepEqual(result.outcomes[index], {
          damage: damage.name,
          isLocked: true,
          rebuiltFrom: damage.rebuiltFrom,
          damagedKept: damage.leavesFile,
          diskIsUntouched: true,
          headerMode: '600',
          leftBehind: false,
          damagedFiles: [],
        });
      });
    }
    await t.test('another disk is noticed before the header takes its place', () => {
      assert.equal(result.otherDisk?.code, 'KNK-VOL-0202');
      assert.equal(result.otherDiskLeavesHeader, false);
    });
    await t.test('without the journal: the id of the secret and the disk are enough', () => {
      assert.deepEqual(result.withoutJournal, { rebuiltFrom: 'record', damagedFiles: [] });
    });
  });
}
