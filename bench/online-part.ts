import { join } from 'node:path';
import { makeScratchVm } from '../packages/testkit/src/lab/scratch-vm.ts';
import { runInUml } from '../packages/testkit/src/lab/uml.ts';
import { type Figure, median, round } from './figure.ts';
import type { OnlinePartInput, OnlinePartRound } from './scenarios/online-part.ts';

const gibibyte = 1024;

/**
 * The online part over a whole disk, beside bare cryptsetup with the same options on the same disk, turn and turn about. The ratio is
 * the median of those within a round, so that what disturbs both sides of a round does not count.
 */
export async function fullDiskFigures({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  // Large enough that what is the same for every disk does not count for much.
  const mebibytes = quick ? 256 : 3 * gibibyte;
  const rounds = await measure(mebibytes, quick ? 1 : 6, true);
  const engine = rounds.map(({ engineSeconds }) => engineSeconds ?? Number.NaN);
  const rival = rounds.map(({ cryptsetupSeconds }) => cryptsetupSeconds ?? Number.NaN);
  return [
    {
      name: `full disk: online part of ${mebibytes / gibibyte} GiB ext4, throughput`,
      value: round(mebibytes / median(engine), 1),
      unit: 'MiB/s',
      rival: 'cryptsetup reencrypt --resume-only, same options',
      rivalValue: round(mebibytes / median(rival), 1),
      ratio: round(median(rival.map((seconds, index) => seconds / (engine[index] ?? Number.NaN)))),
      target: { atLeast: 0.95 },
    },
  ];
}

/** From the begin of the unmount to the end of the mount. */
export async function downtimeFigures({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of quick ? [1] : [1, 16]) {
    const mapped = await measure(size * gibibyte, quick ? 1 : 4, false);
    figures.push({
      name: `downtime of ${size} GiB ext4`,
      value: round(median(mapped.map(({ downtimeSeconds }) => downtimeSeconds))),
      unit: 's',
      rival: null,
      rivalValue: null,
      ratio: null,
      target: { atMost: 2 },
    });
  }
  return figures;
}

async function measure(dataMiB: number, rounds: number, convert: boolean): Promise<readonly OnlinePartRound[]> {
  const vm = { stateMiB: 112, dataMiB };
  await using scratch = await makeScratchVm(vm);
  return await runInUml<readonly OnlinePartRound[]>({
    scenario: join(import.meta.dirname, 'scenarios/online-part.ts'),
    input: { vm, vaultUrl: scratch.vaultUrl, kekId: scratch.kekId, rounds, convert } satisfies OnlinePartInput,
    disks: [scratch.disk],
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 900,
  });
}
