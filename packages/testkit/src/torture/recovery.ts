import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { runInUml } from '../lab/uml.ts';
import { canary, type PromisedFile } from '../power-cut/files.ts';
import type { RecoverInput, RecoverResult } from '../power-cut/scenarios/recover.ts';
import { dataOffset } from '../power-cut/small-vm.ts';
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
  readonly seconds: RecoverResult['seconds'] | null;
}

export interface RecoverOptions {
  readonly withFinishingCheck?: boolean;
  readonly goesOnBy?: RecoverInput['goesOnBy'];
}

/** What every machine after a cut is given. */
export function recoverInput(prepared: Prepared, promised: readonly PromisedFile[]): RecoverInput {
  const { vm, fileSystem, operation, vaultUrl, kekId } = prepared;
  return {
    vm,
    fileSystem,
    operation: operation.name,
    vaultUrl,
    kekId,
    promised,
    withFinishingCheck: true,
    record: false,
    goesOnBy: 'agent',
  };
}

/** Boots a fresh machine from the disk that a power cut has left (FOLDER/disk.img, its vault in FOLDER/keep). */
export async function recover(
  prepared: Prepared,
  folder: string,
  promised: readonly PromisedFile[],
  options: RecoverOptions = {},
): Promise<Recovery> {
  const image = join(folder, 'disk.img');
  const common = { promised: promised.length };
  try {
    const found = await runInUml<RecoverResult>({
      scenario: scenario('recover.ts'),
      input: { ...recoverInput(prepared, promised), ...options } satisfies RecoverInput,
      disks: [image],
      keep: join(folder, 'keep'),
      timeoutSeconds: 180,
    });
    const end = prepared.operation.end(found.found);
    const plaintextFound = !end.plaintextMayBeLeft && holdsCanary(image, dataOffset(prepared.vm));
    const wrongs = [...found.wrongs];
    if (!end.states.includes(found.state)) wrongs.push(`the volume is ${found.state}, not ${end.states.join(' or ')}`);
    if (!found.fileSystemIsClean) wrongs.push('the file system is not clean');
    if (plaintextFound) wrongs.push('the raw disk shows plaintext');
    const { state, damaged, seconds } = found;
    const foundStep = found.found?.step ?? null;
    const ok = damaged.length === 0 && wrongs.length === 0;
    return { ...common, foundStep, state, damaged, plaintextFound, wrongs, ok, failure: null, seconds };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    const nothing = { foundStep: null, state: 'failed', damaged: [], plaintextFound: false, wrongs: [] };
    return { ...common, ...nothing, ok: false, failure, seconds: null };
  }
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
