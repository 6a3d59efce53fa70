import { parseArgs } from 'node:util';
import { Figures, printFigures } from './figure.ts';
import { fioFigures } from './fio.ts';
import { fourVolumesFigures } from './four-volumes.ts';
import { downtimeFigures, fullDiskFigures } from './online-part.ts';
import { usedOnlyFigures } from './used-only.ts';

/**
 * `npm run bench:volumes [-- --json] [--only NAME]… [--quick]`: the volume engine beside a rival that is named, in the same machine and
 * the same run. Each figure has a target; ends with 1 when one is missed. `--quick`: small disks and few rounds, to see
 * that the bench works; its figures say nothing, and so it does not judge.
 */
const parts = {
  'full-disk': fullDiskFigures,
  downtime: downtimeFigures,
  fio: fioFigures,
  'used-only': usedOnlyFigures,
  'four-volumes': fourVolumesFigures,
} as const;

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string', multiple: true } },
});
const { quick = false, only = Object.keys(parts) } = values;
const unknown = only.filter((name) => !(name in parts));
if (unknown.length > 0) {
  process.stderr.write(`--only ${unknown.join(', ')}: there is ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}
const figures = new Figures();
for (const [name, measure] of Object.entries(parts)) {
  if (only.includes(name)) for (const figure of await measure({ quick })) figures.push(figure);
}
printFigures(figures);
if (!quick && figures.missed.length > 0) {
  process.stderr.write(`missed: ${figures.missed.map(({ name }) => name).join('; ')}\n`);
  process.exitCode = 1;
}
