import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentClient, type AgentEngine, type AgentEvent, AgentStore, ensureMember, runAgent } from '@kannuki/guest';
import type { TestServer } from '@kannuki/server/testing/test-server';

/** A VM without a machine: the real agent in this process, with the folders of a VM of its own. */
export class RunningAgent implements AsyncDisposable {
  readonly store: AgentStore;
  readonly events: AgentEvent[] = [];
  readonly provision: string;
  readonly #folder: string;
  readonly #engine: AgentEngine;
  #boot = 0;
  #life: { readonly stop: AbortController; readonly ended: Promise<void>; readonly client: AgentClient } | undefined;

  private constructor(folder: string, engine: AgentEngine) {
    this.#folder = folder;
    this.#engine = engine;
    this.provision = join(folder, 'provision');
    this.store = new AgentStore(join(folder, 'agent'));
  }

  static async make(engine: AgentEngine): Promise<RunningAgent> {
    const agent = new RunningAgent(await mkdtemp(join(tmpdir(), 'kannuki-agent-')), engine);
    await mkdir(agent.provision);
    return agent;
  }

  /** Boots: takes what the host was told to give at the VM's last start, joins where needed, and runs. */
  async boot(server: TestServer): Promise<void> {
    await rm(this.provision, { recursive: true });
    await mkdir(this.provision);
    const files = server.host.starts.at(-1)?.options.provision ?? {};
    for (const [name, content] of Object.entries(files)) await writeFile(join(this.provision, name), content);
    // In the VM this machine is 10.0.2.2; here it is itself.
    await writeFile(join(this.provision, 'server-url'), server.url);
    await this.start();
  }

  /** Starts the agent again in the same boot, or in the next one after `boot`. */
  async start(): Promise<void> {
    const stop = new AbortController();
    await ensureMember({ store: this.store, signal: stop.signal, provision: this.provision });
    const client = await AgentClient.open(this.store);
    this.#boot += 1;
    const ended = runAgent({
      engine: this.#engine,
      client,
      store: this.store,
      bootId: `boot-${this.#boot}`,
      signal: stop.signal,
      onEvent: (event) => this.events.push(event),
      pace: { reportBusy: 100, reportIdle: 500, retryFirst: 50, retryLongest: 400, unlockGrace: 500 },
    });
    this.#life = { stop, ended, client };
  }

  async stop(): Promise<void> {
    this.#life?.stop.abort();
    await this.#life?.ended;
    this.#life?.client.close();
    this.#life = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Looks again and again until something is there. @returns what was found */
export async function eventually<Result>(
  look: () => Promise<Result | undefined> | Result | undefined,
  what: string,
  seconds = 20,
): Promise<Result> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(30);
  }
  throw new Error(`waited ${seconds} s for ${what}`);
}
