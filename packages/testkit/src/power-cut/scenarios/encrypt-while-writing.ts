import { run } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult, labTell } from '../../lab/inside.ts';
import { fileContent, type PromisedFile, writePromised } from '../files.ts';
import { fillFront, work } from '../operations/used-only.ts';
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
  /** Default: every block. */
  readonly operation?: 'encrypt' | 'used-only';
}

export interface WorkResult {
  readonly step: string;
  readonly downtimeSeconds: number | null;
  /** What was foreseen, seconds. */
  readonly estimatedDowntimeSeconds: number | null;
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

/** Of the 160 MiB of the small VM: what comes next lies behind the front. */
const fillerMiB = 84;
const random = new Random(input.seed);
await attachPartitions(input.vm, input.record);
await makeFileSystems(input.fileSystem);
await bootState();
await enterDataInFstab(input.fileSystem);
const filler = input.operation === 'used-only' ? await fillFront(dataMountPoint, fillerMiB) : undefined;
for (let index = 0; index < input.filledMiB; index++) {
  await promise(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, 1024 * 1024)));
}
await filler?.clear();
await run('sync', []);
await note('begin');

/** So that there are young files when the encryption begins. */
const writerHeadStartMilliseconds = 500;
const writer = new Writer();
const writing = writer.run(random);
const marks: Promise<void>[] = [];
const engine = new VolumeEngine({
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
const { kekId } = input;
const request = { vault, kekId, stopServices: false };
const [choice] =
  input.operation === 'used-only' ? await work({ engine, point: dataMountPoint, vault, kekId }) : [undefined];
if (choice === undefined) await engine.encrypt(dataMountPoint, request);
const [result] = await engine.journals();
if (result === undefined) throw new Error('no journal at the end');
writer.stop();
await Promise.all([writing, ...marks]);
await note('end');
await run('umount', [dataMountPoint]);
await run('cryptsetup', ['close', result.name]);
await leaveState();
if (input.record) await detachRecorder();
labResult({
  step: result.step,
  downtimeSeconds: result.downtimeSeconds,
  estimatedDowntimeSeconds: choice?.estimates?.usedOnly.downtimeSeconds ?? null,
} satisfies WorkResult);
