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

/** Tells each figure when it is there (standard error): a bench takes minutes. */
export class Figures {
  readonly all: Figure[] = [];

  push(figure: Figure): void {
    this.all.push(figure);
    process.stderr.write(`${line(figure)}\n`);
  }
}

export function printFigures(figures: readonly Figure[]): void {
  process.stdout.write(
    process.argv.includes('--json')
      ? `${JSON.stringify({ figures })}\n`
      : figures.map((figure) => `${line(figure)}\n`).join(''),
  );
}

function line({ name, value, unit, rival, rivalValue, ratio }: Figure): string {
  const comparison = rival === null ? '' : `; ${rival}: ${rivalValue} ${unit}; ratio ${ratio}`;
  return `${name}: ${value} ${unit}${comparison}`;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
