import { cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { runInUml } from '../lab/uml.ts';
import { promisedBefore } from '../power-cut/cuts.ts';
import type { PromisedFile } from '../power-cut/files.ts';
import { Random } from '../power-cut/random.ts';
import type { RecoverInput } from '../power-cut/scenarios/recover.ts';
import { smallVmFor } from '../power-cut/small-vm.ts';
import { loseSome, WriteLog } from '../power-cut/write-log.ts';
import { imageAfter, logBytes, type Recording, type Recovery, recover, scenario } from './encrypt.ts';
import { labVaultUrl } from './lab-vault.ts';

/** The power went in mid-conversion; the boot after it is on record up to the open volume, so that it can be cut again. */
export interface RecordedRecovery {
  readonly folder: string;
  readonly recording: Recording;
  readonly promised: readonly PromisedFile[];
  readonly log: WriteLog;
  /** Entries between which the unlock works. */
  readonly from: number;
  readonly to: number;
}

/** @param entry the first cut, in the record of the encryption */
export async function recordRecovery(recording: Recording, entry: number): Promise<RecordedRecovery> {
  const folder = imageAfter(recording, { entry, kind: 'in-order', aim: 'spread' }, new Random(1));
  const disk = join(folder, 'disk.img');
  const logFile = join(folder, 'log.img');
  writeFileSync(logFile, '');
  truncateSync(logFile, logBytes);
  // The machine of the record gets a copy: cuts begin from the disk as the first power cut has left it.
  const copy = join(folder, 'copy.img');
  cpSync(disk, copy);
  const { fileSystem } = recording;
  const vm = smallVmFor(fileSystem);
  const input: RecoverInput = {
    vm,
    fileSystem,
    vaultUrl: labVaultUrl,
    promised: [],
    withFinishingCheck: true,
    record: true,
    goesOnBy: 'agent',
  };
  const keep = join(folder, 'keep');
  await runInUml<null>({ scenario: scenario('recover.ts'), input, disks: [copy, logFile], keep, timeoutSeconds: 180 });
  rmSync(copy);
  const log = WriteLog.open(logFile);
  const [from = -1, to = -1] = ['unlock-begin', 'unlock-end'].map((mark) =>
    log.entries.findIndex((one) => one.mark === mark),
  );
  return { folder, recording, promised: promisedBefore(recording.log, entry), log, from, to };
}

export function discardRecovery(recovery: RecordedRecovery): void {
  rmSync(recovery.folder, { recursive: true, force: true });
}

/** Cuts the recovery at an entry of its record, boots a third machine, and looks at every promised file. */
export async function trySecondCut(
  first: RecordedRecovery,
  entry: number,
  loses: boolean,
  random: Random,
): Promise<Recovery> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-cut-'));
  try {
    const image = join(folder, 'disk.img');
    cpSync(join(first.folder, 'disk.img'), image);
    cpSync(join(first.folder, 'keep'), join(folder, 'keep'), { recursive: true });
    first.log.replay(image, 0, entry, loses ? loseSome(first.log.unflushedBefore(entry), random) : undefined);
    return await recover(folder, first.recording.fileSystem, first.promised, true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
