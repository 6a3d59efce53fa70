import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '@kannuki/core';
import type { EnginePaths } from '../volumes/paths.ts';
import type { MeasuredTuning } from './measure.ts';
import { workloads } from './workloads.ts';

/** What a measurement holds for: another kernel, processor or cryptsetup, and it is made again. */
export interface MeasuredOn {
  readonly kernel: string;
  readonly processor: string;
  readonly processors: number;
  readonly cryptsetup: string;
  /** Of what was measured and how; grows with the program's own idea of it. */
  readonly method: 1;
}

export interface TuningRecord {
  readonly measuredOn: MeasuredOn;
  /** Of the sector sizes that were asked for; empty when nothing could be measured, and then `failure` says why (and nothing is stored). */
  readonly tunings: readonly MeasuredTuning[];
  readonly failure: string | null;
  readonly seconds: number;
}

/** Below /run: nothing of the machine has changed when the encryption is refused after all, and a boot may bring another kernel. */
export function recordPath(paths: Pick<EnginePaths, 'runtime'>): string {
  return join(paths.runtime, 'tuning.json');
}

/** @returns undefined when there is none, or it is of another machine; a damaged one is no loss and is measured again */
export async function readRecord(
  paths: Pick<EnginePaths, 'runtime'>,
  measuredOn: MeasuredOn,
): Promise<TuningRecord | undefined> {
  let text: string;
  try {
    text = await readFile(recordPath(paths), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const record = parse(text);
  const isSame =
    record !== undefined &&
    (Object.keys(measuredOn) as (keyof MeasuredOn)[]).every((key) => record.measuredOn[key] === measuredOn[key]);
  return isSame ? record : undefined;
}

export async function writeRecord(paths: Pick<EnginePaths, 'runtime'>, record: TuningRecord): Promise<void> {
  await mkdir(paths.runtime, { recursive: true, mode: 0o700 });
  await writeFileDurably(recordPath(paths), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

function parse(text: string): TuningRecord | undefined {
  let record: Partial<TuningRecord> | null;
  try {
    record = JSON.parse(text) as Partial<TuningRecord> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const wellFormed =
    record !== null &&
    typeof record === 'object' &&
    typeof record.measuredOn === 'object' &&
    record.measuredOn !== null &&
    Array.isArray(record.tunings) &&
    record.tunings.every(isMeasuredTuning);
  return wellFormed ? (record as TuningRecord) : undefined;
}

function isMeasuredTuning(value: unknown): boolean {
  const { tuning, speeds } = (value ?? {}) as Partial<MeasuredTuning>;
  return (
    typeof tuning?.cipher === 'string' &&
    (tuning.sectorSize === 512 || tuning.sectorSize === 4096) &&
    typeof tuning.noReadWorkqueue === 'boolean' &&
    workloads.every((workload) => Array.isArray(speeds?.[workload]))
  );
}
