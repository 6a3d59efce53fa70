/** One line of a bench: `{"figures":[…]}` of `--json` holds these. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly rival: string | null;
  readonly rivalValue: number | null;
  /** Ours to the rival's, as the name of the figure says; null without a rival. */
  readonly ratio: number | null;
}

const isJson = process.argv.includes('--json');

/** Tells each figure when it is there, a bench takes minutes: on standard error where standard output is for JSON. */
export class Figures {
  readonly all: Figure[] = [];

  push(figure: Figure): void {
    this.all.push(figure);
    if (isJson) process.stderr.write(`${line(figure)}\n`);
    else process.stdout.write(`${line(figure)}\n`);
  }
}

/** At the end: what programs read. */
export function printFigures({ all: figures }: Figures): void {
  if (isJson) process.stdout.write(`${JSON.stringify({ figures })}\n`);
}

function line({ name, value, unit, rival, rivalValue, ratio }: Figure): string {
  const comparison = rival === null ? '' : `; ${rival}: ${rivalValue} ${unit}; ratio ${ratio}`;
  return `${name}: ${value} ${unit}${comparison}`;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
