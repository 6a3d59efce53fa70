import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { makeLabVault } from '../torture/lab-vault.ts';
import type { Layout } from './layouts/layout.ts';
import type { MatrixOperationName } from './operations.ts';
import type { Cell, CellInput, CellResult } from './result.ts';

const mebibyte = 1024 * 1024;
/** /etc, and a header with its copy for each of up to four volumes. */
const stateMiB = 256;

/** Runs one row in a fresh lab machine, and boots its disks once more; a row that cannot even be run is a failed cell. */
export async function runRow(layout: Layout, operations: readonly MatrixOperationName[]): Promise<readonly Cell[]> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-row-'));
  try {
    return await runIn(folder, layout, operations);
  } catch (error) {
    const [operation = 'encrypt'] = operations;
    return [{ operation, result: 'FAILED', why: error instanceof Error ? error.message : String(error), seconds: 0 }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  layout: Layout,
  operations: readonly MatrixOperationName[],
): Promise<readonly Cell[]> {
  const keep = join(folder, 'keep');
  mkdirSync(keep);
  const vault = await makeLabVault(keep);
  const disks = [stateMiB, ...layout.disksMiB].map((sizeMiB, index) => makeDisk(folder, index, sizeMiB));
  const boot = (which: CellInput['boot']): Promise<CellResult> =>
    runInUml<CellResult>({
      scenario: join(import.meta.dirname, 'scenarios/cell.ts'),
      input: { layout: layout.name, operations, boot: which, ...vault } satisfies CellInput,
      disks,
      keep,
      memoryMiB: 640,
      timeoutSeconds: 900,
    });
  const { cells } = await boot('first');
  const last = cells.at(-1);
  const isEncrypted = last?.result === 'done' || (last?.result === 'refused' && layout.encryptedFirst !== undefined);
  if (last === undefined || !isEncrypted || layout.isVolatile === true) return cells;
  const { problems } = await boot('again');
  if (problems.length === 0) return cells;
  return [...cells.slice(0, -1), { ...last, result: 'FAILED', why: `after a reboot: ${problems.join('; ')}` }];
}

function makeDisk(folder: string, index: number, sizeMiB: number): string {
  const path = join(folder, `disk${index}.img`);
  writeFileSync(path, '');
  truncateSync(path, sizeMiB * mebibyte);
  return path;
}
