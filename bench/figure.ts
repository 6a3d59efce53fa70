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
