import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult, labTell } from '../../lab/inside.ts';
import { operationNamed } from '../operations.ts';
import { Random } from '../random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  detachRecorder,
  leaveData,
  leaveState,
  mark,
  mountFromFstab,
  type SmallVm,
} from '../small-vm.ts';
import { withCopies } from '../vault-copies.ts';
import { Writer } from '../writer.ts';

/** Inside a lab machine: one whole operation on a prepared volume while a program writes to it. */
export interface WorkInput {
  readonly vm: SmallVm;
  /** true: every write goes on record, with marks; false: what would be a mark is told to the test outside. */
  readonly record: boolean;
  readonly seed: number;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly operation: string;
  readonly vaultUrl: string;
  readonly kekId: string | null;
}

export interface WorkResult {
  readonly operation: string | null;
  readonly step: string | null;
}

const input = await labInput<WorkInput>();
const operation = operationNamed(input.operation);
await attachPartitions(input.vm, input.record);
await bootState();
await using plainVault = await openGuestVault(input.vaultUrl);
await new VolumeEngine().unlock(() => plainVault);
await mountFromFstab();

/** Puts it on record that this has happened, before anything that comes after it. */
async function note(text: string): Promise<void> {
  if (input.record) await mark(text);
  else labTell(text);
}

await note('begin');
/** So that there are young files when the operation begins. */
const writerHeadStartMilliseconds = 500;
const writer = new Writer(`${dataMountPoint}/new`, ({ sha256, path }) => note(`file:${sha256}:${path}`));
const writing = writer.run(new Random(input.seed));
/** One after the other: steps can be quicker than the program that marks them. */
let marks = Promise.resolve();
const engine = new VolumeEngine({
  beforeUnmount: () => writer.pause(),
  onEvent: (event) => {
    // The checks refuse a volume with an open file, and the writer is in this process: it pauses for them.
    if (event.kind === 'mounted' || (event.kind === 'step' && operation.writerGoesOn === 'at-first-step'))
      writer.goOn();
    if (event.kind === 'step') marks = marks.then(() => note(`step:${event.step}`));
  },
});
const vault = input.record ? withCopies(plainVault, note) : plainVault;
await new Promise((resolve) => setTimeout(resolve, writerHeadStartMilliseconds));
await writer.pause();
await operation.work({
  fileSystem: input.fileSystem,
  point: dataMountPoint,
  vault,
  kekId: input.kekId,
  engine,
  mark: note,
  forgetFiles: async () => {
    await writer.pause();
    await note('files:forgotten');
  },
});
writer.stop();
await Promise.all([writing, marks]);
await note('end');
const [journal] = await engine.journals();
await leaveData();
await leaveState();
if (input.record) await detachRecorder();
labResult({ operation: journal?.operation ?? null, step: journal?.step ?? null } satisfies WorkResult);
