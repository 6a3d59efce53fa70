import { fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { labInput, labResult } from '../inside.ts';
import { type Outcome, tryBadInput } from './command-line/case.ts';
import { type GoodPath, goodPath } from './command-line/good-path.ts';
import { type Answer, kannuki } from './command-line/kannuki.ts';
import { machineCases } from './command-line/machine-cases.ts';
import { attachSpareDisk } from './command-line/spare-disk.ts';
import { type LostServer, vaultCases } from './command-line/vault-cases.ts';
import { volumeCases } from './command-line/volume-cases.ts';

/** Inside a lab machine: one bad input after the other through the real program, and then a good one. */
export interface CommandLineInput {
  readonly vm: SmallVm;
  readonly lostServer: LostServer;
}

export interface CommandLineResult {
  readonly outcomes: readonly Outcome[];
  /** `disk list` after all of the refusals. */
  readonly listAfterwards: Answer;
  readonly good: GoodPath;
}

const { vm, lostServer } = await labInput<CommandLineInput>();
await attachPartitions(vm, false);
await attachSpareDisk();
await makeFileSystems('ext4');
await bootState();
await enterDataInFstab('ext4');
const promised = await writeFiles();

const outcomes: Outcome[] = [];
for (const bad of [...volumeCases, ...machineCases, ...vaultCases(lostServer)]) {
  const start = performance.now();
  outcomes.push(await tryBadInput(bad));
  // Into the log of the machine, which the test shows when the machine fails.
  console.log(`${bad.name}: ${Math.round(performance.now() - start)} ms`);
}
const listAfterwards = await kannuki('disk', 'list', '-o', 'json');
labResult({ outcomes, listAfterwards, good: await goodPath(promised) } satisfies CommandLineResult);

async function writeFiles(): Promise<readonly PromisedFile[]> {
  const random = new Random(1);
  const files: PromisedFile[] = [];
  for (let number = 0; number < 20; number++) {
    files.push(await writePromised(`${dataMountPoint}/files`, `file-${number}`, fileContent(random, 256 * 1024)));
  }
  return files;
}
