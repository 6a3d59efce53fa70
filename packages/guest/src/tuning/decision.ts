import type { MeasuredTuning } from './measure.ts';
import type { Workload } from './workloads.ts';

/** Fewer rounds than these prove nothing. */
export const leastRounds = 3;
/** A flag has to bring something, and must cost nowhere: what a measurement of milliseconds cannot tell from noise is no gain. */
const leastGain = 1.05;
const worstLoss = 0.97;
/** From here on another cipher is worth a word; below, AES is the better known. */
const adiantumGain = 1.5;

/** How many times as fast one tuning is as another: the median of the rounds, each compared within itself. null: too few. */
export function gain(one: MeasuredTuning, other: MeasuredTuning, workload: Workload): number | null {
  const ratios = one.speeds[workload].map((speed, round) => speed / (other.speeds[workload][round] ?? Number.NaN));
  if (ratios.length < leastRounds || !ratios.every((ratio) => Number.isFinite(ratio) && ratio > 0)) return null;
  const sorted = ratios.toSorted((left, right) => left - right);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (upper + lower) / 2;
}

/** Whether to do without the work queue, for reads and for writes by themselves. */
export function worthFlags(
  without: MeasuredTuning,
  plain: MeasuredTuning,
): { readonly read: boolean; readonly write: boolean } {
  const isWorth = (kinds: readonly Workload[]): boolean => {
    const gains = kinds.map((kind) => gain(without, plain, kind));
    if (gains.some((ratio) => ratio === null || ratio < worstLoss)) return false;
    return gains.some((ratio) => ratio !== null && ratio >= leastGain);
  };
  return {
    read: isWorth(['random read', 'sequential read']),
    write: isWorth(['random write', 'sequential write']),
  };
}

/** How many times as fast Adiantum is where it counts most, long reads and writes; null when that is not worth to be offered. */
export function adiantumOffer(adiantum: MeasuredTuning, aes: MeasuredTuning): number | null {
  const gains = [gain(adiantum, aes, 'sequential read'), gain(adiantum, aes, 'sequential write')];
  const least = Math.min(...gains.map((ratio) => ratio ?? 0));
  return least >= adiantumGain ? Math.round(least * 10) / 10 : null;
}
