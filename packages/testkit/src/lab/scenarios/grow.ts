import { mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import {
  decryption,
  type GrownLayer,
  type GrowthReport,
  openGuestVault,
  VolumeEngine,
  VolumeGrowth,
} from '@kannuki/guest';
import { damagedFiles, type PromisedFile } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import { Writer } from '../../power-cut/writer.ts';
import { makeLinks } from '../../volumes/layouts/shell.ts';
import { fillPlaces, mountFromFstab, promisedFiles } from '../../volumes/scenarios/places.ts';
import { bootStateDisk } from '../../volumes/scenarios/state-disk.ts';
import { problemsAtRest, problemsInUse } from '../../volumes/scenarios/verify.ts';
import { growCases, notLast, swap } from '../grow/disks.ts';
import { labInput, labResult, labTell } from '../inside.ts';
import { kannuki } from './command-line/kannuki.ts';

/** Inside a lab machine: volumes of each kind are made; in the next boot their disks are larger, and they grow; then one more boot. */
export interface GrowInput {
  readonly boot: 'make' | 'grow' | 'again';
  readonly vaultUrl: string;
}

export interface GrownPlace {
  readonly point: string;
  readonly layers: readonly GrownLayer[];
  /** The same command again: nothing may change. */
  readonly again: readonly GrownLayer[];
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly damaged: readonly string[];
  /** Written by a program while it grew. */
  readonly written: number;
}

export interface Refusal {
  readonly code: string;
  readonly findings: readonly string[];
}

export interface GrowResult {
  readonly grown: readonly GrownPlace[];
  readonly refusals: Readonly<Record<string, Refusal>>;
  readonly problems: readonly string[];
  /** What the program answers with -o json for one that has grown already. */
  readonly byProgram: readonly GrowthReport[] | null;
}

const input = await labInput<GrowInput>();
const places = growCases.map(({ place }) => place);
const everywhere = [...places, notLast];
const result = {
  grown: [] as GrownPlace[],
  refusals: {} as Record<string, Refusal> & { decrypt?: Refusal; locked?: Refusal },
  problems: [] as string[],
};
let byProgram: readonly GrowthReport[] | null = null;

await bootStateDisk(input.boot === 'make');
await makeLinks();
let vault = await openGuestVault(input.vaultUrl);
const engine = new VolumeEngine();

if (input.boot === 'make') {
  for (const { make } of growCases) await make({ engine, vault });
  await run('mkswap', [swap]);
  await fillPlaces(everywhere.map(({ point }) => point));
} else {
  await boot();
  if (input.boot === 'grow') {
    await refuse();
    for (const { place } of growCases) result.grown.push(await grow(place.point));
    byProgram = await growByProgram();
  }
  result.problems.push(...(await look()));
}
await vault[Symbol.asyncDispose]();
await run('sync', []);
labResult({ ...result, byProgram } satisfies GrowResult);

/** The disks are there and larger; the volumes are opened as at each boot. */
async function boot(): Promise<void> {
  for (const { point } of everywhere) mkdirSync(point, { recursive: true });
  const failures = await engine.unlock(async () => vault);
  result.problems.push(...failures.map(({ point, error }) => `${point} was not unlocked: ${String(error)}`));
  await mountFromFstab(everywhere);
}

async function refuse(): Promise<void> {
  const growth = new VolumeGrowth();
  for (const target of [notLast.point, swap, '/dev/ubdc', '/nowhere']) {
    result.refusals[target] = await refusalOf(() => growth.grow(target, () => vault));
  }
  // Whatever counts with the size of the disk waits until the volume has grown.
  const point = '/srv/whole';
  result.refusals.decrypt = await refusalOf(() =>
    engine.operate(point, decryption({ stopServices: false }), () => vault),
  );
  await run('umount', [point]);
  await run('cryptsetup', ['close', 'kn_srv_whole']);
  result.refusals.locked = await refusalOf(() => growth.grow(point, () => vault));
  await engine.unlock(async () => vault, [point]);
}

async function refusalOf(work: () => Promise<unknown>): Promise<Refusal> {
  try {
    await work();
    return { code: 'none', findings: [] };
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    return { code: error.code, findings: error.findings.map(({ rule, message }) => `${rule}: ${message.en}`) };
  }
}

async function grow(point: string): Promise<GrownPlace> {
  labTell(point);
  const promised: PromisedFile[] = [];
  const writer = new Writer(`${point}/while-growing`, async (file) => {
    promised.push(file);
  });
  const writing = writer.run(new Random(point.length));
  const bytesBefore = bytesOf(point);
  const { layers } = await new VolumeGrowth().grow(point, () => vault);
  writer.stop();
  await writing;
  const again = await new VolumeGrowth().grow(point, () => {
    throw new Error('the vault was asked though nothing was left to do');
  });
  return {
    point,
    layers,
    again: again.layers,
    bytesBefore,
    bytesAfter: bytesOf(point),
    damaged: damagedFiles(promised),
    written: promised.length,
  };
}

function bytesOf(point: string): number {
  const { blocks, bsize } = statfsSync(point);
  return blocks * bsize;
}

async function growByProgram(): Promise<readonly GrowthReport[]> {
  await vault[Symbol.asyncDispose]();
  const answer = await kannuki('disk', 'grow', '/srv/whole', '/srv/gpt', '-o', 'json');
  vault = await openGuestVault(input.vaultUrl);
  if (answer.exitCode !== 0) throw new Error(`kannuki: ${answer.stdout} ${answer.stderr}`);
  return JSON.parse(answer.stdout) as readonly GrowthReport[];
}

/** Files, states, the raw disks, the file systems' own checkers, and the sizes on record. */
async function look(): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const state of ['Encrypted', 'NotEncrypted'] as const) {
    const isPlain = state === 'NotEncrypted';
    const places = growCases.filter((one) => (one.isPlain === true) === isPlain).map(({ place }) => place);
    const layout = { name: 'grown', disksMiB: [], make: async () => {}, places };
    problems.push(...(await problemsInUse(layout, engine, state)), ...(await problemsAtRest(layout, engine, state)));
  }
  if (promisedFiles().length !== everywhere.length * 24) problems.push(`${promisedFiles().length} files were promised`);
  if (input.boot === 'again') problems.push(...(await sizesNotOnRecord()));
  return problems;
}

async function sizesNotOnRecord(): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const { name } of await engine.journals()) {
    const { device } = JSON.parse(readFileSync(`/var/lib/kannuki/volumes/${name}.json`, 'utf8'));
    const { stdout } = await run('blockdev', ['--getsize64', device.path]);
    if (Number(stdout) !== device.sizeBytes) problems.push(`${name}: ${stdout.trim()} and not ${device.sizeBytes}`);
  }
  return problems;
}
