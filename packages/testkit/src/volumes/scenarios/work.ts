import { readFileSync, statfsSync } from 'node:fs';
import { exitCodes, KannukiError } from '@kannuki/core';
import { differences, machineFiles } from '../../lab/scenarios/command-line/machine-state.ts';
import { damagedFiles } from '../../power-cut/files.ts';
import { type ExpectedRefusal, type Layout, targetsOf } from '../layouts/layout.ts';
import { type MatrixOperationName, type MatrixWorld, matrixOperations } from '../operations.ts';
import type { Cell, RowStep, Stage } from '../result.ts';
import { keysOf, problemsOfKeys } from './keys.ts';
import { fillPlaces, firstFstab, forgetFiles, placesAt, promisedFiles } from './places.ts';
import { problemsAtRest, problemsInUse } from './verify.ts';

export interface WorkParts {
  readonly world: MatrixWorld;
  /** How the volumes stand before. */
  readonly stage: Stage;
  /** Whether the work has been ended on purpose, well under way. */
  readonly isCut: () => boolean;
}

/** One operation on every target of the layout, and then a look at everything. */
export async function workOn(step: RowStep, parts: WorkParts): Promise<Pick<Cell, 'result' | 'why'>> {
  const { refusal } = step;
  const { why, problems } =
    refusal === null ? await mustBeDone(step, parts) : await mustBeRefused(step.operation, refusal, parts);
  const { layout, engine } = parts.world;
  // A refusal has changed none of the files that say what the volumes are; the rest is looked at after the next boot.
  if (problems.length === 0 && refusal === null)
    problems.push(...(await problemsInUse(layout, engine, step.leaves.state)));
  if (problems.length === 0 && layout.isVolatile === true) {
    problems.push(...(await problemsAtRest(layout, engine, step.leaves.state)));
  }
  if (problems.length > 0) {
    // Of a failure it is the first question whether it has cost anything.
    const damaged = damagedFiles(promisedFiles());
    return { result: 'FAILED', why: [...problems, `${damaged.length} files damaged or missing`].join('; ') };
  }
  if (refusal !== null) return { result: 'refused', why };
  return { result: step.leaves.isUnderway ? 'begun' : 'done', why };
}

interface Outcome {
  readonly why: string | null;
  readonly problems: string[];
}

async function mustBeDone({ operation: name, leaves }: RowStep, { world, isCut }: WorkParts): Promise<Outcome> {
  const { layout, engine, vault } = world;
  const operation = matrixOperations[name];
  if (operation === undefined) throw new Error(`no operation ${name}`);
  const before = await keysOf(engine);
  const sizes = new Map(targetsOf(layout, operation.needs).map((target) => [target, bytesAt(layout, target)]));
  if (losesFiles(name, layout)) forgetFiles();
  const problems: string[] = [];
  for (const target of targetsOf(layout, operation.needs)) {
    try {
      await operation.run(target, world);
      if (leaves.isUnderway) problems.push(`${target}: came to its end before it was cut`);
    } catch (error) {
      if (!leaves.isUnderway || !isCut()) problems.push(`${target}: ${textOf(error)}`);
    }
  }
  if (problems.length > 0) return { why: null, problems };
  if (name === 'grow') problems.push(...problemsOfGrowth(layout, sizes));
  problems.push(...(await problemsOfKeys(name, leaves, { before, engine, vault })));
  if (name === 'decrypt' && readFileSync('/etc/fstab', 'latin1') !== firstFstab()) {
    problems.push('fstab is not as it was at first, byte for byte');
  }
  if (losesFiles(name, layout)) await fillPlaces(placesAt(layout, leaves.state).map(({ point }) => point));
  return { why: null, problems };
}

const leastGrowth = 40 * 1024 * 1024;

/** @returns bytes of the file system at a mount point; null for a target of another kind */
function bytesAt({ places }: Layout, target: string): number | null {
  if (!places.some(({ point }) => point === target)) return null;
  const { blocks, bsize } = statfsSync(target);
  return blocks * bsize;
}

/** The file system has what its disk was given, nearly all of it; where the disk cannot become larger it has not changed. */
function problemsOfGrowth(layout: Layout, before: ReadonlyMap<string, number | null>): readonly string[] {
  return [...before].flatMap(([target, then]) => {
    const more = (bytesAt(layout, target) ?? 0) - (then ?? 0);
    if (layout.isVolatile === true ? more === 0 : more >= leastGrowth) return [];
    return [`the file system at ${target} has become larger by ${more} bytes`];
  });
}

/** The temporary disk is made anew in both directions. */
function losesFiles(name: MatrixOperationName, { isTemporary }: Layout): boolean {
  return matrixOperations[name]?.losesFiles === true || (isTemporary === true && ['encrypt', 'decrypt'].includes(name));
}

/** A refusal says why, and changes nothing. */
async function mustBeRefused(
  name: MatrixOperationName,
  refusal: ExpectedRefusal,
  { world }: WorkParts,
): Promise<Outcome> {
  const operation = matrixOperations[name];
  if (operation === undefined) throw new Error(`no operation ${name}`);
  const problems: string[] = [];
  let why: string | null = null;
  for (const target of targetsOf(world.layout, operation.needs)) {
    const before = machineFiles();
    const reasons = await reasonsOf(() => operation.run(target, world));
    const fitting = reasons?.find(({ rule, says }) => rule === refusal.rule && says.includes(refusal.says));
    if (reasons === null) problems.push(`${target}: was not refused`);
    else if (fitting === undefined) {
      const seen = reasons.map(({ rule, says }) => `${rule}: ${says}`).join('; ') || 'a refusal without a finding';
      problems.push(`${target} should be refused by ${refusal.rule} (${refusal.says}), and: ${seen}`);
    } else why ??= `${fitting.rule}: ${fitting.says}`;
    const changed = differences(before, machineFiles());
    if (changed.length > 0) problems.push(`the refusal of ${target} has changed ${changed.join(', ')}`);
  }
  return { why, problems };
}

/** What an operation is refused for; null when it is not. A failure of any other kind is thrown on. */
async function reasonsOf(action: () => Promise<void>): Promise<readonly ExpectedRefusal[] | null> {
  try {
    await action();
    return null;
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    const refusing = error.findings.filter(({ severity }) => severity === 'refuse');
    if (refusing.length > 0) return refusing.map(({ rule, message }) => ({ rule, says: message.en }));
    // Without a finding only these say all: there is no such volume, or something else is being done to it.
    if (error.exitCode === exitCodes.refused) return [];
    if (!['KNK-VOL-0007', 'KNK-VOL-0010'].includes(error.code)) throw error;
    return [{ rule: error.code, says: error.describe('en') }];
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof KannukiError)) return String(error instanceof Error ? error.stack : error);
  const findings = error.findings
    .filter(({ severity }) => severity === 'refuse')
    .map(({ rule, message }) => `${rule}: ${message.en}`);
  return [error.message, JSON.stringify(error.details), ...findings].join('; ');
}
