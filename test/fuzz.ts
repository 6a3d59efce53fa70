import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * `npm run fuzz -- --runs N --seed S`: every property test of the tree, N times, with the seeds S, S+1, … The same seed
 * tries the same values. Ends with 1 and the seed to repeat when one of them finds something.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const runs = Number(values.runs);
const first = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || runs > 100_000 || !Number.isSafeInteger(first)) {
  process.stderr.write('usage: npm run fuzz -- --runs 1..100000 --seed WHOLE-NUMBER\n');
  process.exit(2);
}

const files = globSync('packages/*/src/**/*.test.ts').filter((file) =>
  readFileSync(file, 'utf8').includes("from 'fast-check'"),
);
const failed: number[] = [];
for (let seed = first; seed < first + runs; seed++) {
  const started = performance.now();
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', './test/property-seed.ts', '--test', '--test-reporter=spec', ...files],
    { env: { ...process.env, KANNUKI_PROPERTY_SEED: String(seed) }, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(
    `seed ${seed} (${seed - first + 1}/${runs}): ${status === 0 ? 'ok' : 'FAILED'} after ${seconds} s\n`,
  );
  if (status === 0) continue;
  failed.push(seed);
  process.stdout.write(stdout);
}
process.stdout.write(
  failed.length === 0
    ? `${files.length} files, ${runs} seeds, nothing found\n`
    : `failed with seeds ${failed.join(', ')}: npm run fuzz -- --runs 1 --seed ${failed[0]}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
