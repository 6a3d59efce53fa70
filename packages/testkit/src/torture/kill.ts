import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../lab/scratch.ts';
import { UmlMachine } from '../lab/uml.ts';
import type { PromisedFile } from '../power-cut/files.ts';
import { Random } from '../power-cut/random.ts';
import type { WorkInput } from '../power-cut/scenarios/encrypt-while-writing.ts';
import { diskBytes, smallVmFor } from '../power-cut/small-vm.ts';
import { type FileSystem, filledMiB, recover, scenario } from './encrypt.ts';
import { makeLabVault } from './lab-vault.ts';

export interface KillOutcome {
  readonly fileSystem: FileSystem;
  readonly killedAt: string;
  readonly promised: number;
  readonly damaged: readonly string[];
  readonly ok: boolean;
  readonly failure: string | null;
}

/** About as long as the machine works after `begin`; a later kill hits the finished volume, which is a case too. */
const workMilliseconds = 9000;

/**
 * Cuts the power the second way: a machine at work is killed with SIGKILL at a random moment, and a fresh one boots from its
 * disk. What the machine's disk had in the host's page cache stays, so order is kept and only code paths are tested.
 */
export async function tryKill(seed: number, fileSystem: FileSystem): Promise<KillOutcome> {
  const random = new Random(seed);
  const folder = mkdtempSync(join(scratch(), 'kannuki-kill-'));
  const disk = join(folder, 'disk.img');
  const keep = join(folder, 'keep');
  mkdirSync(keep);
  writeFileSync(disk, '');
  truncateSync(disk, diskBytes(smallVmFor(fileSystem)));
  try {
    const { vaultUrl, kekId } = await makeLabVault(keep);
    const input: WorkInput = {
      vm: smallVmFor(fileSystem),
      record: false,
      seed,
      fileSystem,
      vaultUrl,
      kekId,
      filledMiB,
    };
    const machine = await UmlMachine.start({
      scenario: scenario('encrypt-while-writing.ts'),
      input,
      disks: [disk],
      keep,
      memoryMiB: 512,
    });
    await machine.waitFor((line) => line === 'begin');
    await new Promise((resolve) => setTimeout(resolve, random.between(0, workMilliseconds)));
    const told = await machine.powerCut();
    const killedAt = told.findLast((line) => line.startsWith('step:'))?.slice('step:'.length) ?? 'not-begun';
    return {
      fileSystem,
      killedAt,
      ...(await recover(folder, fileSystem, promisedIn(told), true, seed % 2 === 0 ? 'agent' : 'command')),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function promisedIn(told: readonly string[]): readonly PromisedFile[] {
  return told.flatMap((line) => {
    const [, sha256, path] = /^file:([0-9a-f]{64}):(.+)$/.exec(line) ?? [];
    return sha256 === undefined || path === undefined ? [] : [{ path, sha256 }];
  });
}
