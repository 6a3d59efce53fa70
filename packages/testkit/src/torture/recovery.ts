import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { LabError, runInUml } from '../lab/uml.ts';
import type { BootOptions, BootResult } from '../power-cut/boot-after-cut.ts';
import { canary, type PromisedFile } from '../power-cut/files.ts';
import type { RecoverInput, RecoverResult } from '../power-cut/scenarios/recover.ts';
import { dataOffset } from '../power-cut/small-vm.ts';
import { labVaultUrlIn } from './lab-vault.ts';
import { type Prepared, scenario } from './recording.ts';

/** What a boot made of a disk that had its power cut. */
export interface Recovery {
  readonly foundStep: string | null;
  readonly state: string;
  readonly promised: number;
  readonly damaged: readonly string[];
  readonly plaintextFound: boolean;
  readonly wrongs: readonly string[];
  readonly ok: boolean;
  /** Set when the machine itself failed, e.g. a boot that needed a hand. */
  readonly failure: string | null;
  readonly seconds: BootResult['seconds'] | null;
}

export type RecoverOptions = Partial<Pick<BootOptions, 'withFinishingCheck' | 'goesOnBy'>>;

/** A disk after its power cut: FOLDER/NAME/disk.img, with its vault in FOLDER/NAME/keep. */
export interface CutDisk {
  readonly name: string;
  readonly promised: readonly PromisedFile[];
}

/** User-mode Linux has 16 disks; each lies in the host's memory. */
export const cutsOfAMachine = 8;

/**
 * Boots from each of the disks that power cuts have left, in as few machines as can be: one that fails has failed at the disk it
 * was at, and the disks after that get another.
 */
export async function recover(
  prepared: Prepared,
  folder: string,
  cuts: readonly CutDisk[],
  options: RecoverOptions = {},
): Promise<readonly Recovery[]> {
  const recoveries: Recovery[] = [];
  while (recoveries.length < cuts.length) {
    const some = cuts.slice(recoveries.length, recoveries.length + cutsOfAMachine);
    const { results, failure } = await runMachine(prepared, folder, some, options);
    for (const [index, result] of results.entries()) {
      const cut = some[index];
      if (cut !== undefined) recoveries.push(judge(prepared, join(folder, cut.name, 'disk.img'), cut, result));
    }
    const [failedAt] = some.slice(results.length);
    if (failure !== null && failedAt !== undefined)
      recoveries.push({ ...nothingFound, promised: failedAt.promised.length, failure });
  }
  return recoveries;
}

async function runMachine(
  { vm, fileSystem, operation, kekId }: Prepared,
  folder: string,
  cuts: readonly CutDisk[],
  options: RecoverOptions,
): Promise<{ readonly results: RecoverResult; readonly failure: string | null }> {
  const input: RecoverInput = {
    vm,
    fileSystem,
    operation: operation.name,
    kekId,
    cuts: cuts.map(({ name, promised }) => ({ vaultUrl: labVaultUrlIn(join(name, 'keep')), promised })),
    withFinishingCheck: true,
    goesOnBy: 'agent',
    ...options,
  };
  try {
    const results = await runInUml<RecoverResult>({
      scenario: scenario('recover.ts'),
      input,
      disks: cuts.map(({ name }) => join(folder, name, 'disk.img')),
      keep: folder,
      timeoutSeconds: 120 + 60 * cuts.length,
    });
    return { results, failure: null };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { results: (error.result as RecoverResult | null) ?? [], failure: error.message };
  }
}

const nothingFound = {
  foundStep: null,
  state: 'failed',
  damaged: [],
  plaintextFound: false,
  wrongs: [],
  ok: false,
  seconds: null,
};

function judge(prepared: Prepared, image: string, { promised }: CutDisk, result: BootResult): Recovery {
  const end = prepared.operation.end(result.found);
  const plaintextFound = !end.plaintextMayBeLeft && holdsCanary(image, dataOffset(prepared.vm));
  const { state, damaged, seconds, fileSystemIsClean } = result;
  const wrongs = [...result.wrongs];
  if (!end.states.includes(state)) wrongs.push(`the volume is ${state}, not ${end.states.join(' or ')}`);
  if (!fileSystemIsClean) wrongs.push('the file system is not clean');
  if (plaintextFound) wrongs.push('the raw disk shows plaintext');
  return {
    foundStep: result.found?.step ?? null,
    state,
    promised: promised.length,
    damaged,
    plaintextFound,
    wrongs,
    ok: damaged.length === 0 && wrongs.length === 0,
    failure: null,
    seconds,
  };
}

/** Whether any block of the data volume still shows what the files hold. */
function holdsCanary(image: string, offset: number): boolean {
  const file = openSync(image, 'r');
  const chunk = Buffer.alloc(8 * 1024 * 1024);
  try {
    for (let position = offset; ; position += chunk.length - canary.length) {
      const count = readSync(file, chunk, 0, chunk.length, position);
      if (count === 0) return false;
      if (chunk.subarray(0, count).includes(canary)) return true;
      if (count < chunk.length) return false;
    }
  } finally {
    closeSync(file);
  }
}
