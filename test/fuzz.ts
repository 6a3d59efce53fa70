import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * `npm run fuzz -- --runs N --seed S`: N malformed requests to a running server, and every property test of the tree with
 * other values than in CI: with one seed for each 10,000 runs, S, S+1, … The same seed tries the same values. Ends with 1 and
 * says what to repeat when one of them finds something.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});
const runs = Number(values.runs);
const first = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || runs > 100_000_000 || !Number.isSafeInteger(first)) {
  process.stderr.write('usage: npm run fuzz -- --runs 1..100000000 --seed WHOLE-NUMBER\n');
  process.exit(2);
}

const found: string[] = [];
const requests = [
  'packages/testkit/src/keyvault/fuzz/main.ts',
  '--runs',
  String(runs),
  '--seed',
  String(first),
  '--json',
];
if (spawnSync(process.execPath, requests, { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
  found.push(`npm run fuzz:keyvault -- --runs ${runs} --seed ${first}`);
}

const files = globSync('packages/*/src/**/*.test.ts').filter((file) =>
  readFileSync(file, 'utf8').includes("from 'fast-check'"),
);
for (let seed = first; seed < first + Math.ceil(runs / 10_000); seed++) {
  const started = performance.now();
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', './test/property-seed.ts', '--test', '--test-reporter=spec', ...files],
    { env: { ...process.env, KANNUKI_PROPERTY_SEED: String(seed) }, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`property tests, seed ${seed}: ${status === 0 ? 'ok' : 'FAILED'} after ${seconds} s\n`);
  if (status === 0) continue;
  found.push(`KANNUKI_PROPERTY_SEED=${seed} npm test`);
  process.stdout.write(stdout);
}
process.stdout.write(
  found.length === 0 ? 'nothing found\n' : `found something; to see it again:\n${found.join('\n')}\n`,
);
process.exitCode = found.length === 0 ? 0 : 1;
