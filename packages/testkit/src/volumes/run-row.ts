import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { VirtioDisks } from '../lab/virtio-disks.ts';
import { makeLabVault } from '../torture/lab-vault.ts';
import type { Layout } from './layouts/layout.ts';
import { type MatrixOperationName, matrixOperations } from './operations.ts';
import type { Cell, CellInput, CellResult, RowStep } from './result.ts';
import { firstStage, planRow } from './row-plan.ts';

const mebibyte = 1024 * 1024;
/** /etc, and a header with its copy for each of up to four volumes. */
const stateMiB = 256;

/** Runs one row: each run of its plan on fresh disks, with a reboot behind each operation that has changed something. */
export async function runRow(layout: Layout, operations: readonly MatrixOperationName[]): Promise<readonly Cell[]> {
  const cells: Cell[] = [];
  for (const steps of planRow(layout, operations)) cells.push(...(await runOnFreshDisks(layout, steps)));
  return cells;
}

async function runOnFreshDisks(layout: Layout, steps: readonly RowStep[]): Promise<readonly Cell[]> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-row-'));
  const run = new RowRun(layout, steps);
  try {
    await run.all(folder);
  } catch (error) {
    // A run that cannot even go on is a failed cell.
    run.fail(error instanceof Error ? error.message : String(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
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

  async all(folder: string): Promise<void> {
    const layout = this.#layout;
    const keep = join(folder, 'keep');
    mkdirSync(keep);
    const vault = await makeLabVault(keep);
    const disks = [stateMiB, ...layout.disksMiB].map((sizeMiB, index) => makeDisk(folder, index, sizeMiB));
    const { virtioSectorBytes } = layout;
    await using virtio =
      virtioSectorBytes === undefined ? undefined : await VirtioDisks.start(folder, disks.slice(1), virtioSectorBytes);
    const boot = (input: Pick<CellInput, 'boot' | 'stage' | 'steps'>): Promise<CellResult> =>
      runInUml<CellResult>({
        scenario: join(import.meta.dirname, 'scenarios/cell.ts'),
        input: { layout: layout.name, ...input, ...vault } satisfies CellInput,
        disks: virtio === undefined ? disks : disks.slice(0, 1),
        kernelArguments: virtio?.kernelArguments ?? [],
        keep,
        // A disk in the machine's own memory comes on top.
        memoryMiB: layout.isVolatile === true ? 1024 : 640,
        timeoutSeconds: 900,
      });
    let stage = firstStage(layout);
    for (const [index, steps] of this.#boots().entries()) {
      if (index > 0) enlarge(disks.slice(1), layout, steps);
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

  /** What each boot of the machine does: refusals change nothing, so they share one; the last one only looks. */
  #boots(): readonly (readonly RowStep[])[] {
    if (this.#layout.isVolatile === true) return [this.#steps];
    const boots: RowStep[][] = [[]];
    for (const step of this.#steps) {
      boots.at(-1)?.push(step);
      if (step.refusal === null) boots.push([]);
    }
    if (boots.at(-1)?.length !== 0) boots.push([]);
    return boots;
  }
}

function enlarge(disks: readonly string[], { disksMiB }: Layout, steps: readonly RowStep[]): void {
  const moreMiB = steps.reduce((sum, { operation }) => sum + (matrixOperations[operation]?.enlargesDisksMiB ?? 0), 0);
  if (moreMiB === 0) return;
  for (const [index, path] of disks.entries()) truncateSync(path, ((disksMiB[index] ?? 0) + moreMiB) * mebibyte);
}

function makeDisk(folder: string, index: number, sizeMiB: number): string {
  const path = join(folder, `disk${index}.img`);
  writeFileSync(path, '');
  truncateSync(path, sizeMiB * mebibyte);
  return path;
}
