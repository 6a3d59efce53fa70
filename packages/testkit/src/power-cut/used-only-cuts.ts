import type { Cut } from './cuts.ts';
import { endWindow } from './cuts.ts';
import type { Random } from './random.ts';
import type { WriteLog } from './write-log.ts';

/**
 * Cuts for an encryption of the used space only: a third in the shrinking, the others in turn in the wipe of the rest, in the
 * growing, in the conversion, in its end window, and right around the records of the steps; half of each with unflushed writes lost.
 */
export function chooseUsedOnlyCuts(log: WriteLog, count: number, random: Random): readonly Cut[] {
  const at = (step: string): number => {
    const index = log.entries.findIndex(({ mark }) => mark === `step:${step}`);
    if (index < 0) throw new Error(`the record has no step ${step}`);
    return index;
  };
  const between = (from: string, to: string) => (): number => random.between(at(from), at(to) + 1);
  const end = endWindow(log);
  const steps = log.entries.flatMap(({ mark }, index) => (mark?.startsWith('step:') ? [index] : []));
  let turn = 0;
  const aroundStep = (): number => (steps[turn++ % steps.length] ?? 0) + random.between(-8, 4);
  const shrink = between('shrink-begun', 'mapped');
  const places = [
    shrink,
    aroundStep,
    between('mapped', 'rest-wiped'),
    shrink,
    aroundStep,
    between('rest-wiped', 'grown'),
    shrink,
    between('grown', 'converted'),
    () => random.between(end.from, end.to + 1),
  ];
  return Array.from({ length: count }, (_, index): Cut => {
    const place = places[index % places.length] ?? shrink;
    return { kind: index % 2 === 0 ? 'in-order' : 'unflushed-lost', aim: 'step', entry: place() };
  });
}
