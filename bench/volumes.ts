import { join } from 'node:path';
import { makeScratchVm } from '../packages/testkit/src/lab/scratch-vm.ts';
import { runInUml } from '../packages/testkit/src/lab/uml.ts';
import type { SmallVm } from '../packages/testkit/src/power-cut/small-vm.ts';
import { Figures, printFigures, round } from './figure.ts';
import { fioFigures } from './fio.ts';
import type { OnlinePartInput, OnlinePartRound } from './scenarios/online-part.ts';
import type { UsedOnlyInput, UsedOnlyResult } from './scenarios/used-only.ts';

/**
 * `npm run bench:volumes [-- --json]`: the volume engine in user-mode Linux. Throughput is a ratio to bare cryptsetup with the
 * same options, on the same disk, in the same run, turn and turn about; the median of the rounds counts.
 */
const gibibyte = 1024;
const rounds = 4;
/** Large enough that what is the same for every disk does not count for much. */
const convertedGib = 3;
const figures = new Figures();

const converted = await measure({ stateMiB: 112, dataMiB: convertedGib * gibibyte }, rounds, true);
const engine = median(converted.map(({ engineSeconds }) => engineSeconds ?? Number.NaN));
const rival = median(converted.map(({ cryptsetupSeconds }) => cryptsetupSeconds ?? Number.NaN));
const throughput = (seconds: number): number => Math.round(((convertedGib * gibibyte) / seconds) * 10) / 10;
figures.push({
  name: `online part, ${convertedGib} GiB ext4, throughput`,
  value: throughput(engine),
  unit: 'MiB/s',
  rival: 'cryptsetup reencrypt --resume-only, same options',
  rivalValue: throughput(rival),
  ratio: Math.round((rival / engine) * 100) / 100,
});
for (const size of [1, 16]) {
  const mapped = await measure({ stateMiB: 112, dataMiB: size * gibibyte }, rounds, false);
  figures.push({
    name: `downtime, ${size} GiB ext4`,
    value: Math.round(median(mapped.map(({ downtimeSeconds }) => downtimeSeconds)) * 100) / 100,
    unit: 's',
    rival: null,
    rivalValue: null,
    ratio: null,
  });
}
for (const figure of await fioFigures()) figures.push(figure);
await usedOnly(16);
printFigures(figures);

async function measure(vm: SmallVm, count: number, convert: boolean): Promise<readonly OnlinePartRound[]> {
  await using scratch = await makeScratchVm(vm);
  const input: OnlinePartInput = { vm, vaultUrl: scratch.vaultUrl, kekId: scratch.kekId, rounds: count, convert };
  return await runInUml<readonly OnlinePartRound[]>({
    scenario: join(import.meta.dirname, 'scenarios/online-part.ts'),
    input,
    disks: [scratch.disk],
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 900,
  });
}

/** A disk with 5 % used: the used space only, beside bare cryptsetup over all of it. One round, because of the rival's length. */
async function usedOnly(sizeGib: number): Promise<void> {
  const vm = { stateMiB: 112, dataMiB: sizeGib * gibibyte };
  await using scratch = await makeScratchVm(vm);
  const usedMiB = Math.round(sizeGib * gibibyte * 0.05);
  const input: UsedOnlyInput = { vm, vaultUrl: scratch.vaultUrl, kekId: scratch.kekId, usedMiB };
  const result = await runInUml<UsedOnlyResult>({
    scenario: join(import.meta.dirname, 'scenarios/used-only.ts'),
    input,
    disks: [scratch.disk],
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 3600,
  });
  figures.push({
    name: `used space only, ${sizeGib} GiB ext4 with 5 % used, whole command`,
    value: round(result.engineSeconds),
    unit: 's',
    rival: 'cryptsetup reencrypt of the whole disk, same options',
    rivalValue: round(result.cryptsetupSeconds),
    ratio: round(result.cryptsetupSeconds / result.engineSeconds),
  });
  figures.push({
    name: `used space only, ${sizeGib} GiB ext4 with 5 % used, downtime`,
    value: round(result.downtimeSeconds),
    unit: 's',
    rival: 'foreseen and told before',
    rivalValue: round(result.estimatedDowntimeSeconds),
    ratio: round(result.estimatedDowntimeSeconds / result.downtimeSeconds),
  });
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}
