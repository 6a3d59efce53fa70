import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { UmlMachine } from '../lab/uml.ts';
import { promisedBy } from '../power-cut/places.ts';
import { Random } from '../power-cut/random.ts';
import type { WorkInput } from '../power-cut/scenarios/work.ts';
import { copyOfDisk, type FileSystem, type Recording, scenario, takeVaultCopy } from './recording.ts';
import { type Recovery, recover } from './recovery.ts';

export interface KillOutcome extends Recovery {
  readonly operation: string;
  readonly fileSystem: FileSystem;
  readonly seed: number;
  readonly killedAt: string;
}

/** About as long as the machine works after `begin`; a later kill hits the finished volume, which is a case too. */
const workMilliseconds = 9000;

/**
 * Cuts the power the second way: a machine at work is killed with SIGKILL at a random moment, and a fresh one boots from its
 * disk. What the machine's disk had in the host's page cache stays, so order is kept and only code paths are tested.
 * @param recording gives the volume where the operation begins; its record is not used
 */
export async function tryKill(recording: Recording, seed: number): Promise<KillOutcome> {
  const random = new Random(seed);
  const { operation, fileSystem, vm, vaultUrl, kekId } = recording;
  const folder = mkdtempSync(join(scratch(), 'kannuki-kill-'));
  try {
    const name = 'vm';
    const [disk, keep] = [join(folder, name, 'disk.img'), join(folder, name, 'keep')];
    takeVaultCopy(join(recording.folder, 'keep'), keep, 0);
    await copyOfDisk(join(recording.folder, 'disk.img'), disk);
    const input: WorkInput = { vm, record: false, seed, fileSystem, operation: operation.name, vaultUrl, kekId };
    const machine = await UmlMachine.start({
      scenario: scenario('work.ts'),
      input,
      disks: [disk],
      keep,
      memoryMiB: 512,
    });
    await machine.waitFor((line) => line === 'begin');
    await new Promise((resolve) => setTimeout(resolve, random.between(0, workMilliseconds)));
    const told = await machine.powerCut();
    const killedAt = told.findLast((line) => line.startsWith('step:'))?.slice('step:'.length) ?? 'not-begun';
    const promised = promisedBy(recording.promised, told);
    const goesOnBy = seed % 2 === 0 ? 'agent' : 'command';
    const [recovery] = await recover(recording, folder, [{ name, promised }], { goesOnBy });
    if (recovery === undefined) throw new Error('nothing is known of the boot after the kill');
    return { operation: operation.name, fileSystem, seed, killedAt, ...recovery };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
