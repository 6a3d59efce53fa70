import { execFileSync } from 'node:child_process';
import { load, loadTarget, percentile } from '../packages/testkit/src/keyvault/load/measure.ts';
import { seedSecrets } from '../packages/testkit/src/keyvault/load/seed.ts';
import { storm } from '../packages/testkit/src/keyvault/load/storm.ts';
import { ServerProcess } from '../packages/testkit/src/keyvault/server-process.ts';
import { type Figure, Figures, printFigures, round } from './figure.ts';

/**
 * `npm run bench:keyvault [-- --json] [--quick]`: the vault service as a process of its own, over TLS, with every token
 * checked and every audit record on stable storage before its answer. The rival of an unwrap is the bare RSA operation of
 * `openssl speed` in the same run; the rival of a large vault is a small one.
 */
const quick = process.argv.includes('--quick');
const seconds = quick ? 3 : 10;
const many = quick ? 5_000 : 100_000;
const vms = quick ? 500 : 10_000;
const figures = new Figures();

const opensslMilliseconds = median([rsaMilliseconds(), rsaMilliseconds(), rsaMilliseconds()]);
{
  await using server = await ServerProcess.start();
  const { tls, unwrap, get } = await loadTarget(server, 'bench');
  await load(server, { tls, request: unwrap, connections: 16, seconds: 2 });
  const peak = await load(server, { tls, request: unwrap, connections: 128, seconds });
  figures.push({
    name: 'CPU of one RSA-2048 unwrap over HTTPS, audited (bound: ratio 1.5)',
    value: round(peak.cpuMilliseconds, 3),
    unit: 'ms',
    rival: 'openssl speed rsa2048, one private operation',
    rivalValue: round(opensslMilliseconds, 3),
    ratio: round(peak.cpuMilliseconds / opensslMilliseconds),
  });
  figures.push(plain('unwraps, peak', round(peak.perSecond, 0), '/s'));

  const [alone, beside] = [
    await load(server, { tls, request: get, connections: 4, seconds, perSecond: 100 }),
    (
      await Promise.all([
        load(server, { tls, request: get, connections: 4, seconds, perSecond: 100 }),
        load(server, { tls, request: unwrap, connections: 16, seconds, perSecond: peak.perSecond / 2 }),
      ])
    )[0],
  ];
  figures.push({
    name: 'p99 of a secret get while unwraps run at half of the peak (bound: 50 ms)',
    value: round(percentile(beside.latencies, 0.99)),
    unit: 'ms',
    rival: 'the same without unwraps',
    rivalValue: round(percentile(alone.latencies, 0.99)),
    ratio: round(percentile(beside.latencies, 0.99) / percentile(alone.latencies, 0.99)),
  });
}
{
  // The same requests on a vault of ten objects and on one of many.
  const cost = async (objects: number) => {
    await using server = await ServerProcess.start({ below: '/dev/shm' });
    const { tls, unwrap, get } = await loadTarget(server, 'bench');
    await seedSecrets(server, 'bench', objects);
    await load(server, { tls, request: get, connections: 8, seconds: 1 });
    return {
      get: (await load(server, { tls, request: get, connections: 8, seconds })).cpuMilliseconds,
      unwrap: (await load(server, { tls, request: unwrap, connections: 8, seconds })).cpuMilliseconds,
    };
  };
  const [small, large] = [await cost(10), await cost(many)];
  for (const call of ['get', 'unwrap'] as const) {
    figures.push({
      name: `CPU of a ${call} in a vault of ${many} objects (wanted: ratio 1)`,
      value: round(large[call], 3),
      unit: 'ms',
      rival: 'in a vault of 10 objects',
      rivalValue: round(small[call], 3),
      ratio: round(large[call] / small[call]),
    });
  }
}
{
  await using server = await ServerProcess.start();
  const { seconds: took, serverMilliseconds, clientMilliseconds } = await storm(server, vms);
  figures.push(plain(`storm: ${vms} VMs, each token, secret get, unwrap (bound: 30 s for 10000)`, round(took), 's'));
  figures.push(plain('storm: CPU of the server for one VM', round(serverMilliseconds), 'ms'));
  figures.push(plain('storm: CPU of the VM itself, on the same processors', round(clientMilliseconds), 'ms'));
}
printFigures(figures);

function plain(name: string, value: number, unit: string): Figure {
  return { name, value, unit, rival: null, rivalValue: null, ratio: null };
}

/** CPU time of one private operation, as OpenSSL 3 measures itself: `+F2:…:BITS:SIGNATURES A SECOND:VERIFICATIONS A SECOND`. */
function rsaMilliseconds(): number {
  const text = execFileSync('openssl', ['speed', '-mr', '-seconds', '2', 'rsa2048'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const perSecond = Number(/^\+F2:\d+:2048:([0-9.]+):/m.exec(text)?.[1]);
  if (!(perSecond > 10)) throw new Error(`openssl speed said nothing that can be read: ${text.slice(0, 300)}`);
  return 1000 / perSecond;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
