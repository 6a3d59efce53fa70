import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeScratchVm } from '../lab/scratch-vm.ts';
import { runInUml, UmlMachine } from '../lab/uml.ts';
import { smallVm } from '../power-cut/small-vm.ts';
import type { BrokenResult, IoErrorsInput, MendedResult } from './scenarios/io-errors.ts';

type Fault = Pick<IoErrorsInput, 'operation' | 'disk' | 'behaviour'>;

export function testIoErrors(fault: Fault): void {
  const { operation, disk, behaviour } = fault;
  test(`${disk}, ${behaviour.kind}, in the conversion (${operation}): it stops and says so, and the next boot ends it, every file intact`, async () => {
    const { broken, mended } = await breakAndMend(fault);
    assert.equal(broken.withFault.code, 'KNK-VOL-0015', broken.withFault.message);
    // Nothing works on the torn piece before the boot has put it right, though the disk is well again.
    assert.equal(broken.afterwards.code, 'KNK-VOL-0011', broken.afterwards.message);
    assert.deepEqual([mended.attempt.code, mended.attempt.damaged], [null, []], mended.attempt.message);
    assert.deepEqual(mended.ending.wrongs, []);
  });
}

async function breakAndMend(fault: Fault): Promise<{ readonly broken: BrokenResult; readonly mended: MendedResult }> {
  await using scratch = await makeScratchVm(smallVm);
  const input = { vm: smallVm, vaultUrl: scratch.vaultUrl, kekId: scratch.kekId, ...fault };
  const machine = (promised: IoErrorsInput['promised']) => ({
    scenario: join(import.meta.dirname, 'scenarios/io-errors.ts'),
    input: { ...input, promised } satisfies IoErrorsInput,
    disks: [scratch.disk],
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 240,
  });
  const first = await UmlMachine.start(machine(null));
  const prefix = 'result:';
  await first.waitFor((line) => line.startsWith(prefix));
  const told = (await first.powerCut()).find((line) => line.startsWith(prefix)) ?? '';
  const broken = JSON.parse(told.slice(prefix.length)) as BrokenResult;
  const mended = await runInUml<MendedResult>(machine(broken.promised));
  return { broken, mended };
}
