import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Finding, KannukiError, type Run } from '@kannuki/core';
import { found } from '../checks/finding.ts';
import { readCryptsetup } from '../facts/cryptsetup-version.ts';
import type { BlockDevice } from '../facts/model.ts';
import { isAbsence } from '../facts/sources.ts';
import type { EnginePaths } from '../volumes/paths.ts';
import { adiantumOffer, leastRounds, worthFlags } from './decision.ts';
import { flagsOf, readKernel } from './kernel-rules.ts';
import { type MeasureBounds, type MeasuredTuning, measure } from './measure.ts';
import { takeMeasuringTurn } from './measuring-turn.ts';
import { type Processor, readProcessor } from './processor.ts';
import { type MeasuredOn, readRecord, type TuningRecord, writeRecord } from './record.ts';
import { sectorSizeFor } from './sector-size.ts';
import { type Cipher, plainTuning, type Tuning } from './tuning.ts';

export interface TuningOptions {
  readonly run: Run;
  readonly paths: Pick<EnginePaths, 'runtime'>;
  /** What the owner asked for; default AES-256 in XTS. */
  readonly cipher?: Cipher;
  /** Default 3 s in all; tests on busy machines take longer. */
  readonly bounds?: MeasureBounds;
}

export interface ChosenTuning {
  readonly tuning: Tuning;
  /** Notes: Adiantum is offered, nothing could be measured. Never a refusal: a disk is no less safe without tuning. */
  readonly findings: readonly Finding[];
}

type TunedDevice = Pick<BlockDevice, 'kernelName' | 'parents' | 'path' | 'fileSystem' | 'sizeBytes'>;
export type ChooseTuning = (device: TunedDevice, options: TuningOptions) => Promise<ChosenTuning>;

/**
 * How dm-crypt is to work on a device. The first call on a machine measures for up to 3 s, and so does the first one with another
 * sector size; later ones read what was found from /run/kannuki/tuning.json until kernel, processor or cryptsetup is another.
 */
export const chooseTuning: ChooseTuning = async (device, options) => {
  const { run, cipher = 'aes-xts-plain64' } = options;
  const sources = { root: '/', run };
  const plain = plainTuning(sectorSizeFor(device), cipher);
  const kernel = await readKernel(sources);
  const processor = await readProcessor(sources);
  const cryptsetup = await readCryptsetup(sources);
  const measuredOn: MeasuredOn = {
    kernel: kernel.release,
    processor: processor.model,
    processors: processor.count,
    cryptsetup: cryptsetup?.packageVersion ?? cryptsetup?.version?.join('.') ?? 'unknown',
    method: 1,
  };
  const wanted = candidates(processor, plain.sectorSize);
  const known = await readRecord(options.paths, measuredOn);
  const record = known !== undefined && hasAll(known, wanted) ? known : await makeRecord(options, measuredOn, wanted);
  const allowed = (await isZoned(device)) ? { read: false, write: false } : flagsOf(kernel);
  return { tuning: withFlags(plain, record, allowed), findings: findingsOf(device, plain, record) };
};

async function makeRecord(
  options: TuningOptions,
  measuredOn: MeasuredOn,
  wanted: readonly Tuning[],
): Promise<TuningRecord> {
  const record = await measureInTurn(options, measuredOn, wanted);
  // What failed, or was cut short on a busy machine, may go better the next time.
  if (isConclusive(record)) await writeRecord(options.paths, record);
  return record;
}

function isConclusive({ failure, tunings }: TuningRecord): boolean {
  return failure === null && tunings.every(({ speeds }) => speeds['random read'].length >= leastRounds);
}

/** Whatever keeps a measurement from being made, a module that is missing for one, keeps no disk from being encrypted. */
async function measureInTurn(
  { run, paths, bounds }: TuningOptions,
  measuredOn: MeasuredOn,
  wanted: readonly Tuning[],
): Promise<TuningRecord> {
  try {
    await using _turn = await takeMeasuringTurn(paths.runtime, run);
    // Whoever had the turn before may have measured what is wanted.
    const made = await readRecord(paths, measuredOn);
    if (made !== undefined && hasAll(made, wanted)) return made;
    const { tunings, seconds } = await measure(run, wanted, bounds);
    // Only tunings that were measured side by side are compared: of those measured again the new figures count.
    const others = (made?.tunings ?? []).filter(({ tuning }) => !wanted.some((one) => isDeepStrictEqual(one, tuning)));
    return { measuredOn, tunings: [...others, ...tunings], failure: null, seconds };
  } catch (error) {
    const isExpected = error instanceof KannukiError || (error as NodeJS.ErrnoException).code !== undefined;
    if (!isExpected) throw error;
    return { measuredOn, tunings: [], failure: (error as Error).message.slice(0, 500), seconds: 0 };
  }
}

/**
 * The sector size of the disk with and without the work queues; Adiantum, and what it is compared with, only where AES is done by
 * hand. No more: each is measured in every first encryption, for which somebody waits.
 */
function candidates({ hasAes }: Processor, sectorSize: Tuning['sectorSize']): readonly Tuning[] {
  const sizes = hasAes || sectorSize === 4096 ? [sectorSize] : ([sectorSize, 4096] as const);
  const aes = sizes.map((size) => plainTuning(size));
  const adiantum = plainTuning(4096, 'xchacha20,aes-adiantum-plain64');
  return (hasAes ? aes : [...aes, adiantum]).flatMap((tuning) => [tuning, withoutQueues(tuning)]);
}

function hasAll({ tunings }: TuningRecord, wanted: readonly Tuning[]): boolean {
  return wanted.every((one) => tunings.some(({ tuning }) => isDeepStrictEqual(tuning, one)));
}

function withoutQueues(tuning: Tuning): Tuning {
  return { ...tuning, noReadWorkqueue: true, noWriteWorkqueue: true };
}

function withFlags(plain: Tuning, record: TuningRecord, allowed: ReturnType<typeof flagsOf>): Tuning {
  const [queued, direct] = [measured(record, plain), measured(record, withoutQueues(plain))];
  if (queued === undefined || direct === undefined) return plain;
  const worth = worthFlags(direct, queued);
  return {
    ...plain,
    noReadWorkqueue: worth.read && allowed.read,
    noWriteWorkqueue: worth.write && allowed.write,
  };
}

function measured(record: TuningRecord, wanted: Tuning): MeasuredTuning | undefined {
  return record.tunings.find(
    ({ tuning }) =>
      tuning.cipher === wanted.cipher &&
      tuning.sectorSize === wanted.sectorSize &&
      tuning.noReadWorkqueue === wanted.noReadWorkqueue,
  );
}

function findingsOf({ path }: TunedDevice, plain: Tuning, record: TuningRecord): readonly Finding[] {
  if (record.failure !== null) {
    return [
      found(
        'note',
        'REQ-152',
        path,
        {
          en: `the speed of the encryption could not be measured (${record.failure}); dm-crypt works with its own settings`,
          ja: `暗号化の速度を測定できませんでした (${record.failure})。dm-crypt の既定の設定で動作します`,
        },
        {
          en: 'nothing has to be done; the next `kannuki disk encrypt` measures again',
          ja: '対処は不要です。次の `kannuki disk encrypt` で再測定します',
        },
      ),
    ];
  }
  const [aes, adiantum] = [
    measured(record, plainTuning(4096)),
    measured(record, plainTuning(4096, 'xchacha20,aes-adiantum-plain64')),
  ];
  if (plain.cipher !== 'aes-xts-plain64' || aes === undefined || adiantum === undefined) return [];
  const times = adiantumOffer(adiantum, aes);
  if (times === null) return [];
  return [
    found(
      'note',
      'REQ-152',
      path,
      {
        en: `this processor has no AES instructions; Adiantum was measured to be ${times} times as fast`,
        ja: `このプロセッサには AES 命令がありません。測定では Adiantum の方が ${times} 倍高速です`,
      },
      {
        en: 'leave it as it is for AES-256, or encrypt with `--cipher xchacha20,aes-adiantum-plain64`',
        ja: 'AES-256 のままでよければ対処は不要です。Adiantum を使うには `--cipher xchacha20,aes-adiantum-plain64` を付けてください',
      },
    ),
  ];
}

/** On zoned disks the kernel sets its own flags, since writes must keep their order. */
async function isZoned({ kernelName, parents }: TunedDevice): Promise<boolean> {
  for (const name of [kernelName, ...parents]) {
    try {
      if ((await readFile(`/sys/block/${name}/queue/zoned`, 'utf8')).trim() !== 'none') return true;
    } catch (error) {
      // Partitions have no queue of their own; old kernels know no zones.
      if (!isAbsence(error)) throw error;
    }
  }
  return false;
}
