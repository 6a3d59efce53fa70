import { mkdirSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import type { Layout } from '../layouts/layout.ts';
import { layoutNamed } from '../layouts/layouts.ts';
import { makeLinks, mkfs, sh } from '../layouts/shell.ts';
import { type MatrixOperationName, type MatrixWorld, matrixOperations } from '../operations.ts';
import type { Cell, CellInput, CellResult } from '../result.ts';
import { enterPlace, fillPlaces, mountFromFstab } from './places.ts';
import { bootStateDisk } from './state-disk.ts';
import { problemsAtRest, problemsInUse } from './verify.ts';

/** Inside a lab machine: one row of the matrix, made and worked on; or the same disks after a reboot. */
const input = await labInput<CellInput>();
const layout = layoutNamed(input.layout);
await bootStateDisk(input.boot === 'first');
await using vault = await openGuestVault(input.vaultUrl);
const stop = new AbortController();
const engine = new VolumeEngine({
  onEvent: (event) => {
    if (layout.isHuge === true && event.kind === 'progress' && event.progress.bytesDone > 0) stop.abort();
  },
});
const world: MatrixWorld = {
  engine,
  vault,
  vaultUrl: input.vaultUrl,
  kekId: input.kekId,
  signal: layout.isHuge === true ? stop.signal : undefined,
};

async function make({ encryptedFirst = [], make: makeRest, places }: Layout): Promise<void> {
  await makeLinks();
  for (const place of encryptedFirst) {
    await sh(`${mkfs[place.type]} ${place.device}`);
    await enterPlace(place);
    await matrixOperations.encrypt?.run(place.point, world);
    await sh(`umount ${place.point}`);
  }
  await makeRest();
  for (const place of places) await enterPlace(place);
  await fillPlaces(places.map(({ point }) => point));
}

async function findingsOf(name: MatrixOperationName, target: string): Promise<string | null> {
  try {
    await matrixOperations[name]?.run(target, world);
    return null;
  } catch (error) {
    if (layout.isHuge === true && stop.signal.aborted) return null;
    if (!(error instanceof KannukiError) || error.code !== 'KNK-VOL-0006') throw error;
    const refusals = (error.findings ?? []).filter(({ severity }) => severity === 'refuse');
    return refusals.map(({ rule, message }) => `${rule}: ${message.en}`).join('; ');
  }
}

/** One cell: the operation on every target, and then a look at everything. */
async function work(name: MatrixOperationName): Promise<Omit<Cell, 'seconds'>> {
  const operation = matrixOperations[name];
  if (operation === undefined) return { operation: name, result: 'no entry', why: null };
  const refusal = layout.refused?.[name];
  const problems: string[] = [];
  const reasons: string[] = [];
  for (const target of layout.targets ?? layout.places.map(({ point }) => point)) {
    const reason = await findingsOf(name, target);
    if (reason !== null) reasons.push(reason);
    if ((reason !== null) !== (refusal !== undefined)) problems.push(`${target}: ${reason ?? 'was not refused'}`);
    if (refusal !== undefined && reason !== null && !matches(reason, refusal)) {
      problems.push(`${target} should be refused by ${refusal.rule} (${refusal.says}), and: ${reason}`);
    }
  }
  const state = refusal === undefined ? operation.leaves : layout.encryptedFirst === undefined ? 'plain' : 'encrypted';
  problems.push(...(await problemsInUse(layout, engine, state)), ...(await problemsAtRest(layout)));
  if (problems.length > 0) return { operation: name, result: 'FAILED', why: problems.join('; ') };
  return refusal === undefined
    ? { operation: name, result: 'done', why: null }
    : { operation: name, result: 'refused', why: reasons[0] ?? null };
}

function matches(reason: string, { rule, says }: { readonly rule: string; readonly says: string }): boolean {
  return reason.split('; ').some((one) => one.startsWith(`${rule}: `) && one.includes(says));
}

async function firstBoot(): Promise<CellResult> {
  await make(layout);
  const cells: Cell[] = [];
  for (const name of input.operations) {
    const start = performance.now();
    const cell = await work(name);
    cells.push({ ...cell, seconds: Math.round((performance.now() - start) / 100) / 10 });
    if (cell.result === 'FAILED') break;
  }
  return { cells, problems: [] };
}

/** The boot in its order: names and arrays, unlock, what lies on encrypted disks, mounts. */
async function nextBoot(): Promise<CellResult> {
  // Folders of the OS disk, which is a fresh tmpfs here.
  for (const { point } of layout.places) mkdirSync(point, { recursive: true });
  await makeLinks();
  await layout.assemble?.();
  const failures = await engine.unlock(async () => vault);
  await layout.afterUnlock?.();
  await mountFromFstab(layout.places);
  const problems = failures.map(({ point, error }) => `${point} was not unlocked: ${String(error)}`);
  problems.push(...(await problemsInUse(layout, engine, 'encrypted')), ...(await problemsAtRest(layout)));
  return { cells: [], problems };
}

const result = input.boot === 'first' ? await firstBoot() : await nextBoot();
await run('sync', []);
labResult(result);
