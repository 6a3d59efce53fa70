import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { smallVm } from '../power-cut/small-vm.ts';
import type { TuningInput, TuningResult } from './scenarios/tuning.ts';
import { makeScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

test('tuning: measured without a trace, stored in the header, taken from there by stock cryptsetup and by systemd', async (t) => {
  await using vm = await makeScratchVm(smallVm);
  const result = await runInUml<TuningResult>({
    scenario: join(import.meta.dirname, 'scenarios/tuning.ts'),
    programs: { measure: join(import.meta.dirname, 'scenarios/measure-for-long.ts') },
    input: { vm: smallVm, vaultUrl: vm.vaultUrl, kekId: vm.kekId } satisfies TuningInput,
    disks: [vm.disk],
    keep: vm.keep,
    timeoutSeconds: 300,
  });
  await t.test('a measurement is made once for a machine, and is bounded', () => {
    const { record, sameAgain, measuredAgainFor, roundsOfNoTime } = result;
    assert.equal(record.failure, null);
    // Adiantum too, where the processor of whoever runs the lab has no AES.
    assert.ok([2, 4].includes(record.tunings.length));
    for (const { speeds } of record.tunings) {
      assert.ok(speeds['random read'].length >= 1);
      for (const speed of Object.values(speeds).flat()) assert.ok(speed > 0);
    }
    assert.equal(sameAgain, true);
    assert.deepEqual(measuredAgainFor, { otherKernel: true, damagedFile: true });
    assert.equal(roundsOfNoTime, 0);
  });
  await t.test('it leaves no mapping, also when it is killed', () => {
    const { afterWhole, whileRunning, afterKill, stale, afterNext } = result.left;
    assert.equal(whileRunning.length, 3);
    assert.equal(stale.length, 2);
    assert.deepEqual([afterWhole, afterKill, afterNext], [[], [], []]);
  });
  for (const volume of result.volumes) {
    await t.test(`a volume has what was chosen: ${JSON.stringify(volume.tuning)}`, () => assertTuned(volume));
  }
});

function assertTuned({
  tuning,
  storedFlags,
  keyslotCipher,
  tables,
  fileIsWhole,
  findings,
}: TuningResult['volumes'][number]): void {
  assert.deepEqual([...storedFlags].sort(), [
    ...(tuning.noReadWorkqueue ? ['no-read-workqueue'] : []),
    ...(tuning.noWriteWorkqueue ? ['no-write-workqueue'] : []),
  ]);
  assert.equal(keyslotCipher, 'aes-xts-plain64');
  for (const table of Object.values(tables)) {
    assert.equal(table[2], 'crypt');
    assert.equal(table[3], tuning.cipher);
    assert.equal(table.includes('no_read_workqueue'), tuning.noReadWorkqueue);
    assert.equal(table.includes('no_write_workqueue'), tuning.noWriteWorkqueue);
    assert.equal(table.includes('sector_size:4096'), tuning.sectorSize === 4096);
  }
  assert.equal(fileIsWhole, true);
  assert.deepEqual(findings, []);
}
