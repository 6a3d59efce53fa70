import { createHash } from 'node:crypto';
import { Random } from '../../power-cut/random.ts';
import { kannuki } from '../kannuki.ts';
import { RestClient } from '../rest-client.ts';
import type { ServerProcess } from '../server-process.ts';

export interface DurabilityOptions {
  readonly rounds: number;
  /** Upper bound of a round; the server is killed somewhere before. */
  readonly writes: number;
  readonly clients: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

export interface DurabilityReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Acknowledged and not there, or not as they were sent. */
  readonly lost: readonly string[];
  /** Versions that are there and are nothing that anybody sent. */
  readonly halfWritten: readonly string[];
  /** What `kannuki audit verify` found after each kill. */
  readonly auditProblems: readonly string[];
}

interface Acknowledged {
  readonly name: string;
  readonly version: string;
  readonly value: string;
}

const vault = 'durable';
/** So that versions of one name pile up, as they do in life. */
const namesPerClient = 40;

/**
 * Clients write secrets, the server is killed with SIGKILL in the middle, starts again, and has to have every version
 * that it acknowledged, no version that is half of something, and an audit chain without a gap.
 */
export async function durabilityRun(server: ServerProcess, options: DurabilityOptions): Promise<DurabilityReport> {
  const random = new Random(options.seed);
  const [lost, halfWritten, auditProblems]: string[][] = [[], [], []];
  let acknowledged = 0;
  await using first = new RestClient(server.admin);
  await first.makeVault(vault);
  for (let round = 1; round <= options.rounds; round++) {
    const killAfter = random.between(Math.ceil(options.writes / 10), options.writes);
    const done = await writeUntilKilled(server, options, round, killAfter);
    acknowledged += done.length;
    await server.start();
    await using client = new RestClient(server.admin, options.clients);
    lost?.push(...(await missing(client, done, options.clients)));
    halfWritten?.push(...(await strange(client, options.clients)));
    auditProblems?.push(...(await verifyAudit(server)));
    const bad = (lost?.length ?? 0) + (halfWritten?.length ?? 0) + (auditProblems?.length ?? 0);
    options.tell(`round ${round}/${options.rounds}: killed after ${done.length} writes; ${bad} problems so far`);
  }
  return {
    rounds: options.rounds,
    acknowledged,
    lost: lost ?? [],
    halfWritten: halfWritten ?? [],
    auditProblems: auditProblems ?? [],
  };
}

async function writeUntilKilled(
  server: ServerProcess,
  { clients, writes }: DurabilityOptions,
  round: number,
  killAfter: number,
): Promise<readonly Acknowledged[]> {
  const done: Acknowledged[] = [];
  let started = 0;
  let killed: Promise<void> | undefined;
  await using client = new RestClient(server.admin, clients);
  await client.token('https://vault.azure.net');
  const write = async (who: number): Promise<void> => {
    while (started < writes && killed === undefined) {
      const number = started++;
      const name = `c${who}-${number % namesPerClient}`;
      const value = signed(`${round}/${number}/${'v'.repeat(number % 700)}`);
      try {
        const { status, json } = await client.vault(vault, 'PUT', `/secrets/${name}`, { value });
        if (status !== 200) throw new Error(`a write was refused: ${status} ${JSON.stringify(json)}`);
        done.push({ name, version: json.id.split('/').at(-1), value });
      } catch (error) {
        // The connection of a killed server breaks: that write was not acknowledged, whatever became of it.
        if (killed === undefined) throw error;
        return;
      }
      if (done.length >= killAfter) killed ??= server.kill();
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, who) => write(who)));
  await (killed ?? server.kill());
  return done;
}

async function missing(client: RestClient, done: readonly Acknowledged[], clients: number): Promise<string[]> {
  const lost: string[] = [];
  await inParallel(done, clients, async ({ name, version, value }) => {
    const { status, json } = await client.vault(vault, 'GET', `/secrets/${name}/${version}`);
    if (status !== 200 || json.value !== value) lost.push(`${name}/${version}: ${status}`);
  });
  return lost;
}

/** The newest versions of all names: what was written last is what a crash could have torn. */
async function strange(client: RestClient, clients: number): Promise<string[]> {
  const names = Array.from(
    { length: clients * namesPerClient },
    (_, index) => `c${index % clients}-${Math.floor(index / clients)}`,
  );
  const wrong: string[] = [];
  await inParallel(names, clients, async (name) => {
    const { status, json } = await client.vault(vault, 'GET', `/secrets/${name}`);
    if (status !== 404 && !(status === 200 && isSigned(json.value))) wrong.push(`${name}: ${status}`);
  });
  return wrong;
}

async function verifyAudit(server: ServerProcess): Promise<string[]> {
  const { exitCode, stdout } = await kannuki(['audit', 'verify', '--data', server.data, '-o', 'json']);
  return exitCode === 0 ? [] : [stdout.slice(0, 2000)];
}

async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** A value that shows by itself whether it is whole. */
function signed(text: string): string {
  return `${text}#${createHash('sha256').update(text).digest('hex')}`;
}

function isSigned(value: string): boolean {
  return value === signed(value.slice(0, value.lastIndexOf('#')));
}
