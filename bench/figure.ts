/** One line of a bench: `{"figures":[…]}` of `--json` holds these. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly rival: string | null;
  readonly rivalValue: number | null;
  /** Ours to the rival's, as the name of the figure says; null without a rival. */
  readonly ratio: number | null;
  /** What has to be reached: by the ratio where there is one, else by the value. */
  readonly target?: Target;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number };

const isJson = process.argv.includes('--json');

/** Tells each figure when it is there, a bench takes minutes: on standard error where standard output is for JSON. */
export class Figures {
  readonly all: Figure[] = [];

  push(figure: Figure): void {
    this.all.push(figure);
    if (isJson) process.stderr.write(`${line(figure)}\n`);
    else process.stdout.write(`${line(figure)}\n`);
  }

  get missed(): readonly Figure[] {
    return this.all.filter(isMissed);
  }
}

/** At the end: what programs read. */
export function printFigures({ all: figures }: Figures): void {
  if (isJson) process.stdout.write(`${JSON.stringify({ figures })}\n`);
}

function isMissed({ target, ratio, value }: Figure): boolean {
  const reached = ratio ?? value;
  if (target === undefined) return false;
  // What is no number has not been reached.
  return !('atLeast' in target ? reached >= target.atLeast : reached <= target.atMost);
}

function line(figure: Figure): string {
  const { name, value, unit, rival, rivalValue, ratio, target } = figure;
  const comparison = rival === null ? '' : `; ${rival}: ${rivalValue} ${unit}; ratio ${ratio}`;
  if (target === undefined) return `${name}: ${value} ${unit}${comparison}`;
  const wanted = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
  return `${name}: ${value} ${unit}${comparison} (wanted: ${wanted}; ${isMissed(figure) ? 'MISSED' : 'reached'})`;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}
