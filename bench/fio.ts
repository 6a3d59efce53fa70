import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratchVm } from '../packages/testkit/src/lab/scratch-vm.ts';
import { runInUml } from '../packages/testkit/src/lab/uml.ts';
import { type Figure, median, round } from './figure.ts';
import { type FioInput, type FioResult, type FioWorkload, fioWorkloads } from './scenarios/fio-port.ts';

const dataMiB = 384;
const mebibyte = 1024 * 1024;
const names: Readonly<Record<FioWorkload, string>> = {
  randread: 'fio 4k random read',
  randwrite: 'fio 4k random write',
  read: 'fio 1M sequential read',
  write: 'fio 1M sequential write',
};

/**
 * fio on a volume that was encrypted in place and tuned, beside a disk of the same size behind `cryptsetup luksFormat`, in one
 * machine, turn and turn about. Medians of the rounds; the ratio is the median of the ratios within a round.
 */
export async function fioFigures({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const vm = { stateMiB: 112, dataMiB };
  await using scratch = await makeScratchVm(vm);
  const rivalDisk = join(scratch.folder, 'rival.img');
  writeFileSync(rivalDisk, '');
  truncateSync(rivalDisk, dataMiB * mebibyte);
  const result = await runInUml<FioResult>({
    scenario: join(import.meta.dirname, 'scenarios/fio.ts'),
    input: {
      vm,
      vaultUrl: scratch.vaultUrl,
      kekId: scratch.kekId,
      rounds: quick ? 3 : 15,
      secondsEach: quick ? 0.3 : 1,
    } satisfies FioInput,
    disks: [scratch.disk, rivalDisk],
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 600,
  });
  return fioWorkloads.map((workload) => {
    const [ours, rival] = [result.ours[workload], result.rival[workload]];
    const ratios = ours.map((speed, index) => speed / (rival[index] ?? Number.NaN));
    return {
      name: `${names[workload]}, ours: ${result.tables.ours}`,
      value: round(median(ours) / mebibyte),
      unit: 'MiB/s',
      rival: `cryptsetup luksFormat, its own settings: ${result.tables.rival}`,
      rivalValue: round(median(rival) / mebibyte),
      ratio: round(median(ratios)),
      target: { atLeast: 0.97 },
    };
  });
}
