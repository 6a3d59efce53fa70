import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { RestClient } from '../rest-client.ts';
import type { ServerProcess } from '../server-process.ts';
import { LoadConnection } from './connection.ts';

/** A request that is sent again and again. */
export interface LoadRequest {
  readonly head: string;
  readonly body: string;
}

/** A vault with a key, something that it wrapped, and a secret: what each measurement works on. */
export interface LoadTarget {
  readonly tls: ConnectionOptions;
  readonly unwrap: LoadRequest;
  readonly get: LoadRequest;
}

export async function loadTarget(server: ServerProcess, vault: string): Promise<LoadTarget> {
  await using client = new RestClient(server.admin);
  await client.makeVault(vault);
  const key = await client.vault(vault, 'POST', '/keys/kek/create', { kty: 'RSA', key_size: 2048 });
  if (key.status !== 200) throw new Error(`no key: ${key.status} ${JSON.stringify(key.json)}`);
  const version = String(key.json.key.kid).split('/').at(-1);
  // 172 characters of base64 would not fit RSA-2048 with OAEP: what is wrapped is the passphrase's 127 bytes.
  const value = Buffer.alloc(127, 7).toString('base64url');
  const wrapped = await client.vault(vault, 'POST', `/keys/kek/${version}/wrapkey`, { alg: 'RSA-OAEP', value });
  await client.vault(vault, 'PUT', '/secrets/passphrase', { value: wrapped.json.value, contentType: 'Wrapped BEK' });
  const token = await client.token('https://vault.azure.net');
  const host = `${vault}.${server.admin.vaultDnsSuffix}`;
  const head = (method: string, path: string): string =>
    `${method} ${path}?api-version=7.5 HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const url = new URL(server.url);
  return {
    tls: { host: url.hostname, port: Number(url.port), servername: 'localhost', ca: readFileSync(server.admin.caFile) },
    unwrap: {
      head: head('POST', `/keys/kek/${version}/unwrapkey`),
      body: JSON.stringify({ alg: 'RSA-OAEP', value: wrapped.json.value }),
    },
    get: { head: head('GET', '/secrets/passphrase'), body: '' },
  };
}

export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  /** CPU time of the server for one request, milliseconds. */
  readonly cpuMilliseconds: number;
  /** Time of each request, milliseconds, sorted. */
  readonly latencies: readonly number[];
}

/**
 * Sends one request over and over.
 * @param perSecond null: as fast as the answers come; else so many requests a second, spread evenly
 */
export async function load(
  server: ServerProcess,
  {
    tls,
    request,
    connections,
    seconds,
    perSecond = null,
  }: {
    readonly tls: ConnectionOptions;
    readonly request: LoadRequest;
    readonly connections: number;
    readonly seconds: number;
    readonly perSecond?: number | null;
  },
): Promise<LoadResult> {
  const open = await Promise.all(Array.from({ length: connections }, () => LoadConnection.open(tls)));
  const latencies: number[] = [];
  const cpuBefore = server.cpuSeconds();
  const started = performance.now();
  const end = started + seconds * 1000;
  await Promise.all(
    open.map(async (connection, index) => {
      const pause = perSecond === null ? 0 : (1000 * connections) / perSecond;
      let next = started + (pause * index) / connections;
      while (performance.now() < end) {
        const wait = next - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        next += pause;
        const sent = performance.now();
        const { status, body } = await connection.send(request.head, request.body);
        if (status !== 200) throw new Error(`answered with ${status}: ${body.slice(0, 300)}`);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const elapsed = (performance.now() - started) / 1000;
  const cpu = server.cpuSeconds() - cpuBefore;
  for (const connection of open) connection.close();
  return {
    requests: latencies.length,
    perSecond: latencies.length / elapsed,
    cpuMilliseconds: (cpu * 1000) / latencies.length,
    latencies: latencies.sort((left, right) => left - right),
  };
}

export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
