import { parseArgs } from 'node:util';
import { ServerProcess } from '../server-process.ts';
import { fuzzRun } from './run.ts';

/** `npm run fuzz:keyvault -- --runs 100000 --seed 1 [--json]`: so many malformed requests. Ends with 1 on a 5xx, a crash or a leak. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [requests = 0, seed = 0] = [values.runs, values.seed].map(Number);
if (!Number.isSafeInteger(requests) || requests < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run fuzz:keyvault -- [--runs N] [--seed N] [--json]\n');
  process.exit(2);
}
await using server = await ServerProcess.start();
const report = await fuzzRun(server, {
  requests,
  seed,
  connections: 16,
  tell: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, values.json ? 0 : 2)}\n`);
const isGood =
  report.serverErrors.length === 0 &&
  !report.crashed &&
  report.stillServes &&
  report.memoryMiBAtEnd < report.memoryMiBAtStart + 400;
process.exitCode = isGood ? 0 : 1;
