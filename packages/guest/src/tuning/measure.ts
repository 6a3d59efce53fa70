import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Run } from '@kannuki/core';
import { Stand } from './stand.ts';
import type { Tuning } from './tuning.ts';
import { type Workload, workloads } from './workloads.ts';

/** Speeds of one tuning, bytes a second, one a round. Rounds of the same number were measured side by side. */
export interface MeasuredTuning {
  readonly tuning: Tuning;
  readonly speeds: Readonly<Record<Workload, readonly number[]>>;
}

export interface Measurement {
  readonly tunings: readonly MeasuredTuning[];
  /** From the first mapping to the last, with making and taking away. */
  readonly seconds: number;
}

export interface MeasureBounds {
  readonly rounds: number;
  readonly sliceMilliseconds: number;
  /** From the moment the mappings are there. No slice is begun after it; a round that is cut short does not count. */
  readonly limitMilliseconds: number;
}

/** 5 rounds of 4 workloads on 2 tunings: about half a second on an idle machine, and never more than the limit and one slice. */
export const measureBounds: MeasureBounds = { rounds: 5, sliceMilliseconds: 10, limitMilliseconds: 2400 };

/** Measures tunings turn and turn about, so that whatever else the machine does disturbs all of them. Writes to no disk. */
export async function measure(
  run: Run,
  tunings: readonly Tuning[],
  bounds: MeasureBounds = measureBounds,
): Promise<Measurement> {
  const start = performance.now();
  const rounds: (readonly Readonly<Record<Workload, number>>[])[] = [];
  {
    await using stand = await Stand.raise(run, tunings);
    const end = performance.now() + bounds.limitMilliseconds;
    await warmUp(stand, end);
    for (let round = 0; round < bounds.rounds; round++) {
      const measured = await measureRound(stand, bounds, end, round % 2 === 1);
      if (measured === undefined) break;
      rounds.push(measured);
    }
  }
  return {
    tunings: tunings.map((tuning, index) => ({ tuning, speeds: speedsOf(rounds, index) })),
    seconds: Math.round(performance.now() - start) / 1000,
  };
}

/** What is done once for each mapping and each kind of I/O is none of the speed. */
async function warmUp(stand: Stand, end: number): Promise<void> {
  for (const device of stand.devices) {
    for (const workload of workloads) {
      if (performance.now() > end) return;
      device.run(workload, 0);
      await nextTurn();
    }
  }
}

/** One workload after the other, each on every tuning; undefined when the time was out before the end. */
async function measureRound(
  stand: Stand,
  { sliceMilliseconds }: MeasureBounds,
  end: number,
  backwards: boolean,
): Promise<readonly Readonly<Record<Workload, number>>[] | undefined> {
  const speeds = stand.devices.map(() => ({
    'random read': 0,
    'random write': 0,
    'sequential read': 0,
    'sequential write': 0,
  }));
  const turns = [...stand.devices.entries()];
  if (backwards) turns.reverse();
  for (const workload of workloads) {
    for (const [index, device] of turns) {
      if (performance.now() > end) return undefined;
      const speed = device.run(workload, sliceMilliseconds);
      const row = speeds[index];
      if (row !== undefined) row[workload] = speed;
      // The process has other work: an agent that hears nothing for seconds would be taken for dead.
      await nextTurn();
    }
  }
  return speeds;
}

function speedsOf(
  rounds: readonly (readonly Readonly<Record<Workload, number>>[])[],
  index: number,
): MeasuredTuning['speeds'] {
  const of = (workload: Workload): readonly number[] =>
    rounds.map((round) => Math.round(round[index]?.[workload] ?? 0));
  return {
    'random read': of('random read'),
    'random write': of('random write'),
    'sequential read': of('sequential read'),
    'sequential write': of('sequential write'),
  };
}
