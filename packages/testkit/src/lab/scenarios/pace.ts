import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, run } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { conversionPieces } from '@kannuki/guest/volumes/mapping';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { labInput, labResult, labTell } from '../inside.ts';

/** Inside a lab machine: one encryption that is limited, paused, interrupted, and at last killed in the middle of a piece. */
export interface PaceInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  /** false: the boot after the kill. */
  readonly begins: boolean;
  readonly promised: readonly PromisedFile[];
}

export interface PaceResult {
  readonly pausedState: string;
  readonly pausedIsTold: boolean;
  readonly bytesWhilePaused: number;
  readonly programsWhilePaused: number;
  readonly abortIsTold: boolean;
  readonly piecesAfterAbort: number;
  /** Adjustment of cryptsetup's out-of-memory score. */
  readonly outOfMemoryScore: number;
  readonly codeAfterKill: string;
}

export interface AfterKill {
  readonly damaged: readonly string[];
  readonly state: string;
}

const input = await labInput<PaceInput>();
const vault = await openGuestVault(input.vaultUrl);
const request = { vault, kekId: null, stopServices: false };
const slow = 20 * 1024 * 1024;
await attachPartitions(input.vm, false);
if (input.begins) await begin();
else await recover();

function cryptsetups(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('cryptsetup\0reencrypt\0--resume-only');
    } catch {
      return false;
    }
  });
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`never: ${what}`);
}

async function status() {
  const volume = await mounted();
  if (volume === undefined) throw new Error('the volume is not mounted');
  return volume;
}

/** undefined in the moment when it is taken from its disk to its mapping. */
async function mounted() {
  return (await new VolumeEngine().list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
}

async function begin(): Promise<void> {
  await makeFileSystems('ext4');
  await bootState();
  await enterDataInFstab('ext4');
  const random = new Random(7);
  const files: PromisedFile[] = [];
  for (let index = 0; index < 24; index++) {
    files.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
  }
  for (const { sha256, path } of files) labTell(`file:${sha256}:${path}`);

  // Limited from the beginning, so that there is time to pause it; the pause comes with the first words of cryptsetup.
  let first = true;
  const engine = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind !== 'progress' || !first) return;
      first = false;
      void new VolumeEngine().setPace([dataMountPoint], { paused: true });
    },
  });
  const stop = new AbortController();
  const work = engine.encrypt(dataMountPoint, { ...request, maximumRate: slow, signal: stop.signal }).catch((e) => e);
  await until('paused', async () => (await mounted())?.paused === true && cryptsetups().length === 0);
  const paused = await status();
  await sleep(1500);
  const still = await status();

  // Interrupted while it waits, begun again, and interrupted while it works.
  stop.abort();
  const abort: unknown = await work;
  await new VolumeEngine().setPace([dataMountPoint], { paused: false });
  const secondStop = new AbortController();
  const second = new VolumeEngine({
    onEvent: (event) => {
      if (event.kind === 'progress' && event.progress.bytesDone < event.progress.bytesTotal) secondStop.abort();
    },
  });
  const secondAbort: unknown = await second
    .encrypt(dataMountPoint, { ...request, signal: secondStop.signal })
    .catch((error: unknown) => error);
  const piecesAfterAbort = (await conversionPieces('kn_srv_data0')).length;

  // The worst: cryptsetup itself is killed while it holds a piece.
  await new VolumeEngine().setPace([dataMountPoint], { maximumRate: null });
  const killed = new VolumeEngine().encrypt(dataMountPoint, request).then(
    () => undefined,
    (error: unknown) => error,
  );
  await until('a piece is worked on', async () => (await conversionPieces('kn_srv_data0')).length > 0);
  const [pid = ''] = cryptsetups();
  const outOfMemoryScore = Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
  process.kill(Number(pid), 'SIGKILL');
  await killed;
  const again: unknown = await new VolumeEngine().encrypt(dataMountPoint, request).catch((error: unknown) => error);
  const result: PaceResult = {
    pausedState: paused.state,
    pausedIsTold: paused.paused === true,
    bytesWhilePaused: still.bytesDone - paused.bytesDone,
    programsWhilePaused: cryptsetups().length,
    abortIsTold: [abort, secondAbort].every((error) => error instanceof Error && error.name === 'AbortError'),
    piecesAfterAbort,
    outOfMemoryScore,
    codeAfterKill: hasCode(again, 'KNK-VOL-0011') ? again.code : String(again),
  };
  labTell(`result:${JSON.stringify(result)}`);
  // The machine has to go the hard way: whoever reads the suspended piece waits for ever.
  await new Promise(() => setInterval(() => {}, 1000));
}

async function recover(): Promise<void> {
  await bootState();
  const engine = new VolumeEngine();
  const problems = [...(await engine.unlock(() => vault)), ...(await engine.resume(() => vault))];
  if (problems.length > 0) throw problems[0]?.error;
  await run('sync', []);
  const { state } = await status();
  labResult({ damaged: damagedFiles(input.promised), state } satisfies AfterKill);
}
