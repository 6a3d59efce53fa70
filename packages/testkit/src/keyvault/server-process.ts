import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What `DATA/admin.json` gives a script (docs/keyvault.md). */
export interface AdminJson {
  readonly server: string;
  readonly caFile: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly objectId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly vaultDnsSuffix: string;
}

const program = join(import.meta.dirname, '../../../cli/src/main.ts');
const readySeconds = 120;

export interface ServerProcessOptions {
  /** Lines of the configuration file, TOML. */
  readonly config?: string;
  /** Below which the data folder is made; default the system's folder for temporary files. */
  readonly below?: string;
}

/** The real server as a process of its own on a folder of its own: it can be killed, and its CPU time read. */
export class ServerProcess implements AsyncDisposable {
  readonly folder: string;
  readonly data: string;
  #child: ChildProcess | undefined;
  #url = '';
  #said = '';

  private constructor(folder: string) {
    this.folder = folder;
    this.data = join(folder, 'data');
  }

  static async start({ config = '', below = tmpdir() }: ServerProcessOptions = {}): Promise<ServerProcess> {
    const server = new ServerProcess(await mkdtemp(join(below, 'kannuki-process-')));
    await writeFile(join(server.folder, 'kannuki.toml'), config);
    await server.start('127.0.0.1:0');
    return server;
  }

  get admin(): AdminJson {
    return JSON.parse(readFileSync(join(this.data, 'admin.json'), 'utf8')) as AdminJson;
  }

  get url(): string {
    return this.#url;
  }

  /** What it has printed for people so far. */
  get said(): string {
    return this.#said;
  }

  /** Without address: where it listened last. Resolves when it serves. */
  async start(listen?: string): Promise<void> {
    const words = ['server', 'start', '--data', this.data, '--config', join(this.folder, 'kannuki.toml')];
    const child = spawn(process.execPath, [program, ...words, ...(listen === undefined ? [] : ['--listen', listen])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-100_000);
    });
    this.#url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`the server was not ready within ${readySeconds} s\n${this.#said}`));
      }, readySeconds * 1000);
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new Error(`the server ended with ${code ?? signal}\n${this.#said}`));
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [, url] = /^ready (\S+)/.exec(line) ?? [];
        if (url === undefined) return;
        clearTimeout(timer);
        resolve(url);
      });
    });
  }

  /** As `kill -9` and as a power cut of the process does: nothing is flushed by us. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** CPU time of the process since its start, all threads, seconds (proc(5), fields utime and stime). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child?.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Resident memory, bytes. */
  memoryBytes(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}
