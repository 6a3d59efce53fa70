import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Random } from '../../power-cut/random.ts';
import { RestClient } from '../rest-client.ts';
import type { ServerProcess } from '../server-process.ts';
import { type FuzzContext, malformedRequest } from './malformed.ts';

export interface FuzzOptions {
  readonly requests: number;
  readonly seed: number;
  readonly connections: number;
  readonly tell: (line: string) => void;
}

export interface FuzzReport {
  readonly requests: number;
  readonly seed: number;
  /** How many answers had which status; `closed`: the connection was ended without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests that were answered with 5xx, and what was said; at most 20. */
  readonly serverErrors: readonly string[];
  readonly crashed: boolean;
  readonly memoryMiBAtStart: number;
  readonly memoryMiBAtEnd: number;
  /** A right request after all that. */
  readonly stillServes: boolean;
}

const vault = 'fuzzed';
const answerMilliseconds = 30_000;
/** What promises more bytes than it brings is waited for by the server, for 20 s: no need to do the same each time. */
const lieMilliseconds = 200;

/** Sends malformed requests to every face of a running server and looks what that does to it. */
export async function fuzzRun(server: ServerProcess, options: FuzzOptions): Promise<FuzzReport> {
  await using client = new RestClient(server.admin);
  await client.makeVault(vault);
  const url = new URL(server.url);
  const context: FuzzContext = {
    vaultHost: `${vault}.${server.admin.vaultDnsSuffix}`,
    serverHost: url.host,
    tenantId: server.admin.tenantId,
    subscriptionId: server.admin.subscriptionId,
    vaultToken: await client.token('https://vault.azure.net'),
    managementToken: await client.token('https://management.azure.com'),
  };
  const tls = {
    host: url.hostname,
    port: Number(url.port),
    servername: 'localhost',
    ca: readFileSync(server.admin.caFile),
  };
  const statuses: Record<string, number> = {};
  const serverErrors: string[] = [];
  const memoryAtStart = server.memoryBytes();
  let sent = 0;
  const work = async (who: number): Promise<void> => {
    const random = new Random(options.seed * 1000 + who);
    let connection: Connection | undefined;
    for (let number = who; number < options.requests && server.isRunning; number += options.connections) {
      const request = malformedRequest(random, context);
      connection ??= await Connection.open(tls);
      const answer = await connection.exchange(request);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      if (answer.status.startsWith('5') && serverErrors.length < 20) {
        serverErrors.push(`${request.toString('latin1').slice(0, 300)}\n  → ${answer.text.slice(0, 300)}`);
      }
      if (answer.ended) {
        connection.close();
        connection = undefined;
      }
      sent += 1;
      if (sent % 10_000 === 0) options.tell(`${sent} of ${options.requests} requests`);
    }
    connection?.close();
  };
  await Promise.all(Array.from({ length: options.connections }, (_, who) => work(who)));
  return {
    requests: sent,
    seed: options.seed,
    statuses,
    serverErrors,
    crashed: !server.isRunning,
    memoryMiBAtStart: Math.round(memoryAtStart / 1024 ** 2),
    memoryMiBAtEnd: server.isRunning ? Math.round(server.memoryBytes() / 1024 ** 2) : 0,
    stillServes: server.isRunning && (await serves(server)),
  };
}

async function serves(server: ServerProcess): Promise<boolean> {
  await using client = new RestClient(server.admin);
  const put = await client.vault(vault, 'PUT', '/secrets/after', { value: 'still here' });
  const got = await client.vault(vault, 'GET', '/secrets/after');
  return put.status === 200 && got.json.value === 'still here';
}

interface Exchange {
  readonly status: string;
  readonly text: string;
  readonly ended: boolean;
}

/** A TLS connection on which anything at all can be written. */
class Connection {
  readonly #socket: TLSSocket;
  #received = '';
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end).on('close', end).on('error', end);
  }

  static open(options: ConnectionOptions): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(options);
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
    });
  }

  async exchange(request: Buffer): Promise<Exchange> {
    this.#received = '';
    if (!this.#ended) this.#socket.write(request);
    const aligned = isAligned(request);
    const late = setTimeout(() => this.#socket.destroy(), aligned ? answerMilliseconds : lieMilliseconds);
    while (!this.#ended && !isWhole(this.#received)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(late);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(this.#received)?.[1] ?? 'closed';
    // A request whose length was a lie leaves the two ends of step: begin anew.
    const ended = this.#ended || /\r\nconnection: close\r\n/i.test(this.#received) || !aligned;
    return { status, text: this.#received, ended };
  }

  close(): void {
    this.#socket.destroy();
  }
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return false;
  const length = Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length >= head + 4 + length || /^HTTP\/1\.1 \S+ \S+/.test(text) === false;
}

function isAligned(request: Buffer): boolean {
  const head = request.indexOf('\r\n\r\n');
  const length = /\r\nContent-Length: (\d+)\r\n/.exec(request.toString('latin1', 0, head + 2))?.[1];
  return (
    length !== undefined &&
    Number(length) === request.length - head - 4 &&
    !request.subarray(0, 5).equals(Buffer.from('HEAD '))
  );
}
