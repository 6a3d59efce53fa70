import { run } from '@kannuki/core';
import { openGuestVault, plainTuning, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult, labTell } from '../../lab/inside.ts';
import { fileContent, type PromisedFile, writePromised } from '../files.ts';
import { Random } from '../random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  detachRecorder,
  enterDataInFstab,
  leaveState,
  makeFileSystems,
  mark,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a lab machine: one whole encryption of a volume while a program writes to it. */
export interface WorkInput {
  readonly vm: SmallVm;
  /** true: every write goes on record on /dev/ubdb, with marks; false: what would be a mark is told to the test outside. */
  readonly record: boolean;
  readonly seed: number;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly vaultUrl: string;
  readonly kekId: string | null;
  readonly filledMiB: number;
}

export interface WorkResult {
  readonly step: string;
  readonly downtimeSeconds: number | null;
}

/** A program in the VM that goes on writing: each file is promised, and on record as promised, once it is fsynced. */
class Writer {
  #stopped = false;
  #paused = false;
  #idle: Promise<void> = Promise.resolve();

  async run(random: Random): Promise<void> {
    for (let count = 0; !this.#stopped; count++) {
      if (!this.#paused) {
        this.#idle = this.#writeOne(random, count);
        await this.#idle;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A service that is told to stop: afterwards it has no file open. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.#idle;
  }

  goOn(): void {
    this.#paused = false;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #writeOne(random: Random, count: number): Promise<void> {
    await promise(
      await writePromised(`${dataMountPoint}/new`, `w${count}`, fileContent(random, random.between(1, 32768))),
    );
  }
}

const input = await labInput<WorkInput>();

/** Puts it on record that this has happened, before anything that comes after it. */
async function note(text: string): Promise<void> {
  if (input.record) await mark(text);
  else labTell(text);
}

async function promise(file: PromisedFile): Promise<void> {
  await note(`file:${file.sha256}:${file.path}`);
}

const random = new Random(input.seed);
await attachPartitions(input.vm, input.record);
await makeFileSystems(input.fileSystem);
await bootState();
await enterDataInFstab(input.fileSystem);
for (let index = 0; index < input.filledMiB; index++) {
  await promise(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
await run('sync', []);
await note('begin');

/** So that there are young files when the encryption begins. */
const writerHeadStartMilliseconds = 500;
const writer = new Writer();
const writing = writer.run(random);
const marks: Promise<void>[] = [];
const engine = new VolumeEngine({
  // With flags to store, so that the cuts find that step too, and without a measurement, so that a record is the same each time.
  chooseTuning: async () => ({
    tuning: { ...plainTuning(4096), noReadWorkqueue: true, noWriteWorkqueue: true },
    findings: [],
  }),
  beforeUnmount: () => writer.pause(),
  onEvent: (event) => {
    // The checks refuse a volume with an open file, and the writer is in this process: it pauses for them.
    if (event.kind === 'mounted' || (event.kind === 'step' && event.step === 'planned')) writer.goOn();
    if (event.kind === 'step') marks.push(note(`step:${event.step}`));
  },
});
await using vault = await openGuestVault(input.vaultUrl);
await new Promise((resolve) => setTimeout(resolve, writerHeadStartMilliseconds));
await writer.pause();
const result = await engine.encrypt(dataMountPoint, { vault, kekId: input.kekId, stopServices: false });
writer.stop();
await Promise.all([writing, ...marks]);
await note('end');
await run('umount', [dataMountPoint]);
await run('cryptsetup', ['close', result.name]);
await leaveState();
if (input.record) await detachRecorder();
labResult({ step: result.step, downtimeSeconds: result.downtimeSeconds } satisfies WorkResult);
