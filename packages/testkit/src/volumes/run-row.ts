import { join } from 'node:path';
import { runInUml } from '../lab/uml.ts';
import type { Layout } from './layouts/layout.ts';
import { type MatrixOperationName, matrixOperations } from './operations.ts';
import type { Cell, CellInput, CellResult, RowStep } from './result.ts';
import { RowDisks } from './row-disks.ts';
import { firstStage, planRow } from './row-plan.ts';

/** Runs one row: each run of its plan on fresh disks, with a reboot behind each operation that has changed something. */
export async function runRow(layout: Layout, operations: readonly MatrixOperationName[]): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (const steps of planRow(layout, operations)) cells.push(...(await runOnFreshDisks(layout, steps)));
  return cells;
}

async function runOnFreshDisks(layout: Layout, steps: readonly RowStep[]): Promise<readonly Cell[]> {
  const run = new RowRun(layout, steps);
  try {
    await using disks = await RowDisks.make(layout);
    await run.all(disks);
  } catch (error) {
    // A run that cannot even go on is a failed cell.
    run.fail(error instanceof Error ? error.message : String(error));
  }
  return run.cells;
}

class RowRun {
  readonly #layout: Layout;
  readonly #steps: readonly RowStep[];
  readonly #cells: Cell[] = [];

  constructor(layout: Layout, steps: readonly RowStep[]) {
    this.#layout = layout;
    this.#steps = steps;
  }

  get cells(): readonly Cell[] {
    return this.#cells;
  }

  async all(disks: RowDisks): Promise<void> {
    const layout = this.#layout;
    const boot = (input: Pick<CellInput, 'boot' | 'stage' | 'steps'>): Promise<CellResult> =>
      runInUml<CellResult>({
        scenario: join(import.meta.dirname, 'scenarios/cell.ts'),
        input: { layout: layout.name, ...input, ...disks.vault } satisfies CellInput,
        ...disks.attached,
        keep: disks.keep,
        // A disk in the machine's own memory comes on top.
        memoryMiB: layout.isVolatile === true ? 1024 : 640,
        timeoutSeconds: 900,
      });
    let stage = firstStage(layout);
    for (const [index, steps] of this.#boots().entries()) {
      const moreMiB = Math.max(...steps.map(({ operation }) => matrixOperations[operation]?.enlargesDisksMiB ?? 0), 0);
      if (moreMiB > 0 && layout.isVolatile !== true) await disks.enlarge(moreMiB);
      if (!this.#take(await boot({ boot: index === 0 ? 'first' : 'again', stage, steps }))) return;
      stage = steps.at(-1)?.leaves ?? stage;
    }
  }

  /** What could not be run: the cell that comes next, or the last one, if there is none. */
  fail(why: string): void {
    const next = this.#steps.filter(({ isCell }) => isCell)[this.#cells.length];
    const operation = next?.operation ?? this.#cells.pop()?.operation ?? 'encrypt';
    this.#cells.push({ operation, result: 'FAILED', why, seconds: 0 });
  }

  /** @returns whether the run goes on */
  #take({ cells, problems }: CellResult): boolean {
    // What the boot finds is what the last operation has left.
    if (problems.length > 0) {
      const last = this.#cells.pop();
      const operation = last?.operation ?? 'encrypt';
      const why = `after a reboot: ${problems.join('; ')}`;
      this.#cells.push({ operation, result: 'FAILED', why, seconds: last?.seconds ?? 0 });
      return false;
    }
    this.#cells.push(...cells);
    return cells.every(({ result }) => result !== 'FAILED');
  }

  /** What each boot of the machine does: it ends with an operation that has changed something. The last one only looks. */
  #boots(): readonly (readonly RowStep[])[] {
    if (this.#layout.isVolatile === true) return [this.#steps];
    const boots: RowStep[][] = [[]];
    for (const step of this.#steps) {
      // The disks have become larger while the machine was off, so it has been on before.
      const isOnLargerDisks = matrixOperations[step.operation]?.enlargesDisksMiB !== undefined;
      if (isOnLargerDisks && (boots.length === 1 || boots.at(-1)?.length !== 0)) boots.push([]);
      boots.at(-1)?.push(step);
      const hasReboot = step.refusal === null && step.isCell && matrixOperations[step.operation]?.sharesReboot !== true;
      if (hasReboot) boots.push([]);
    }
    if (boots.at(-1)?.some(({ refusal }) => refusal === null) === true) boots.push([]);
    return boots;
  }
}
