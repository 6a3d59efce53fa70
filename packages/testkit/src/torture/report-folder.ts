import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OperationReport, tableOf } from './report.ts';

interface KeptReport {
  /** What makes the same choices again. */
  readonly command: string;
  readonly report: OperationReport;
}

/** Keeps the report of one operation as FOLDER/OPERATION.json, and all that are there as FOLDER/README.md: long runs are made in parts. */
export function keepReport(folder: string, seed: number, report: OperationReport): void {
  mkdirSync(folder, { recursive: true });
  const { operation, cuts } = report;
  const command = `npm run torture -- --operation ${operation} --cuts ${cuts} --seed ${seed}`;
  const kept: KeptReport = { command, report };
  writeFileSync(join(folder, `${operation}.json`), `${JSON.stringify(kept, null, 2)}\n`);
  const all = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as KeptReport);
  writeFileSync(join(folder, 'README.md'), pageOf(all));
}

function pageOf(all: readonly KeptReport[]): string {
  const sum = (count: (report: OperationReport) => number): number =>
    all.reduce((total, { report }) => total + count(report), 0);
  const rows = all.map(
    ({ report: { operation, cuts, survived, filesPromised, filesDamaged, bootsThatNeededAHand, stepsNotHit } }) =>
      `| ${operation} | ${cuts} | ${survived} | ${filesPromised} | ${filesDamaged} | ${bootsThatNeededAHand} | ${stepsNotHit.join(', ') || 'none'} |`,
  );
  return `# Power cuts

${sum(({ cuts }) => cuts)} cuts, ${sum(({ survived }) => survived)} survived, ${sum(({ filesDamaged }) => filesDamaged)} files damaged. How a cut is made and judged: [lab.md](../../lab.md).

| operation | cuts | survived | files promised | damaged | boots that needed a hand | steps not hit |
| --------- | ---- | -------- | -------------- | ------- | ------------------------ | ------------- |
${rows.join('\n')}

Made by

\`\`\`sh
${all.map(({ command }) => command).join('\n')}
\`\`\`

\`\`\`text
${tableOf(all.map(({ report }) => report)).trimEnd()}
\`\`\`
`;
}
