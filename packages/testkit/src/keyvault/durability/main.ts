import { parseArgs } from 'node:util';
import { ServerProcess } from '../server-process.ts';
import { durabilityRun } from './run.ts';

/** `npm run durability:keyvault -- --rounds 20 --writes 10000 --clients 8 --seed 1 [--json]`. Ends with 1 on any loss. */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    writes: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [rounds = 0, writes = 0, clients = 0, seed = 0] = [values.rounds, values.writes, values.clients, values.seed].map(
  Number,
);
if (
  ![rounds, writes, clients].every((number) => Number.isSafeInteger(number) && number > 0) ||
  !Number.isSafeInteger(seed)
) {
  process.stderr.write(
    'usage: npm run durability:keyvault -- [--rounds N] [--writes N] [--clients N] [--seed N] [--json]\n',
  );
  process.exit(2);
}
await using server = await ServerProcess.start();
const report = await durabilityRun(server, {
  rounds,
  writes,
  clients,
  seed,
  tell: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, null, values.json ? 0 : 2)}\n`);
process.exitCode = report.lost.length + report.halfWritten.length + report.auditProblems.length === 0 ? 0 : 1;
