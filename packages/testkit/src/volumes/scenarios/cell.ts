import { run } from '@kannuki/core';
import { openGuestVault, plainTuning, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import type { Layout } from '../layouts/layout.ts';
import { layoutNamed } from '../layouts/layouts.ts';
import { makeLinks, mkfs, sh } from '../layouts/shell.ts';
import { type MatrixWorld, matrixOperations } from '../operations.ts';
import type { Cell, CellInput, CellResult } from '../result.ts';
import { bootDisks } from './boot.ts';
import { enterPlace, enterSwap, fillPlaces, placesAt } from './places.ts';
import { bootStateDisk } from './state-disk.ts';
import { problemsAtRest, problemsInUse } from './verify.ts';
import { workOn } from './work.ts';

/** Inside a lab machine: one row of the matrix, made and worked on; or the same disks after a reboot, and worked on further. */
const input = await labInput<CellInput>();
const layout = layoutNamed(input.layout);
await bootStateDisk(input.boot === 'first');
await using vault = await openGuestVault(input.vaultUrl);
const stop = new AbortController();
/** Whether the operation at work converts more than there is time for. */
let isToBeCut = false;
const engine = new VolumeEngine({
  // The measurement has tests of its own, and would cost each of these machines three seconds.
  chooseTuning: async () => ({ tuning: plainTuning(4096), findings: [] }),
  onEvent: (event) => {
    if (isToBeCut && event.kind === 'progress' && event.progress.bytesDone > 0) stop.abort();
  },
});
const world: MatrixWorld = {
  engine,
  vault,
  vaultUrl: input.vaultUrl,
  kekId: input.kekId,
  layout,
  signal: layout.isHuge === true ? stop.signal : undefined,
};

async function make({ encryptedFirst = [], make: makeRest, swaps = [] }: Layout): Promise<void> {
  await makeLinks();
  for (const place of encryptedFirst) {
    await sh(`${mkfs[place.type]} ${place.device}`);
    await enterPlace(place);
    await matrixOperations.encrypt?.run(place.point, world);
    await sh(`umount ${place.point}`);
  }
  await makeRest();
  const places = placesAt(layout, input.stage.state);
  for (const place of places) await enterPlace(place);
  for (const device of swaps) await enterSwap(device);
  await fillPlaces(places.map(({ point }) => point));
  await layout.afterFill?.();
}

async function work(): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  let stage = input.stage;
  for (const [index, step] of input.steps.entries()) {
    const start = performance.now();
    isToBeCut = step.leaves.isUnderway;
    const found = await workOn(step, { world, stage, isCut: () => stop.signal.aborted });
    stage = step.leaves;
    const seconds = Math.round((performance.now() - start) / 100) / 10;
    if (step.isCell) cells.push({ operation: step.operation, ...found, seconds });
    if (found.result !== 'FAILED') continue;
    // What fails on the way to a cell is that cell's failure.
    const next = input.steps.slice(index).find(({ isCell }) => isCell);
    if (!step.isCell && next !== undefined) {
      cells.push({
        operation: next.operation,
        result: 'FAILED',
        why: `${step.operation} before: ${found.why}`,
        seconds,
      });
    }
    break;
  }
  return cells;
}

async function problemsOfBoot(): Promise<readonly string[]> {
  const problems = await bootDisks(layout, engine, vault);
  if (problems.length > 0) return problems;
  return [
    ...(await problemsInUse(layout, engine, input.stage.state)),
    ...(await problemsAtRest(layout, engine, input.stage.state)),
  ];
}

let result: CellResult = { cells: [], problems: [] };
if (input.boot === 'first') await make(layout);
else result = { cells: [], problems: await problemsOfBoot() };
if (result.problems.length === 0) result = { ...result, cells: await work() };
await run('sync', []);
labResult(result);
