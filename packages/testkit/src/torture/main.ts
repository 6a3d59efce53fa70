import { parseArgs } from 'node:util';
import { operations } from '../power-cut/operations.ts';
import { type OperationReport, tableOf } from './report.ts';
import { keepReport } from './report-folder.ts';
import { torture } from './torture.ts';

/**
 * `npm run torture -- --operation OP|all --cuts N --seed S [--json] [--report FOLDER]`: N power cuts of an operation, or spread evenly
 * over all of them, each recovered by a boot of its own. Ends with 1 when a single file was damaged, a single boot
 * needed a hand, or a step was not hit. FOLDER keeps the report of each operation as soon as it is over.
 */
const { values } = parseArgs({
  options: {
    operation: { type: 'string', default: 'encrypt' },
    cuts: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});
const cuts = Number(values.cuts);
const seed = Number(values.seed);
const chosen = operations.filter(({ name }) => values.operation === 'all' || values.operation === name);
const isCount = Number.isSafeInteger(cuts) && cuts >= 1 && cuts <= 100_000;
if (chosen.length === 0 || !isCount || !Number.isSafeInteger(seed)) {
  const names = [...operations.map(({ name }) => name), 'all'].join('|');
  process.stderr.write(
    `usage: npm run torture -- --operation ${names} --cuts 1..100000 --seed WHOLE-NUMBER [--json] [--report FOLDER]\n`,
  );
  process.exit(2);
}

const reports: OperationReport[] = [];
for (const [index, operation] of chosen.entries()) {
  const share = Math.floor(((index + 1) * cuts) / chosen.length) - Math.floor((index * cuts) / chosen.length);
  if (share === 0) continue;
  const report = await torture(operation, share, seed, (line) => process.stderr.write(`${line}\n`));
  reports.push(report);
  if (values.report !== undefined) keepReport(values.report, seed, report);
}
process.stdout.write(values.json ? `${JSON.stringify({ seed, cuts, operations: reports })}\n` : tableOf(reports));
/** With fewer cuts than that not every step can be hit, and that is no failure. */
const enough = (report: OperationReport): boolean =>
  report.cuts < 2 * (chosen.find(({ name }) => name === report.operation)?.steps.length ?? 0) ||
  report.stepsNotHit.length === 0;
process.exitCode = reports.every((report) => report.failures.length === 0 && enough(report)) ? 0 : 1;
