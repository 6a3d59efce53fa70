import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdminClient } from '../local-admin/client.ts';
import { type RunningServer, type StartServerOptions, startServer } from '../server.ts';
import { RecordingHost } from './recording-host.ts';

/** A real server on a fresh folder and a free port, with a host that only records. Can be stopped and started again. */
export class TestServer implements AsyncDisposable {
  readonly host = new RecordingHost();
  readonly failures: unknown[] = [];
  readonly folder: string;
  readonly admin: AdminClient;
  /** Added to the real time. */
  clockOffset = 0;
  #running: RunningServer | undefined;
  readonly #config: Readonly<Record<string, unknown>>;

  private constructor(folder: string, config: Readonly<Record<string, unknown>>) {
    this.folder = folder;
    this.admin = new AdminClient(folder);
    this.#config = config;
  }

  static async start(config: Readonly<Record<string, unknown>> = {}): Promise<TestServer> {
    const server = new TestServer(await mkdtemp(join(tmpdir(), 'kannuki-server-')), config);
    await server.start('127.0.0.1:0');
    return server;
  }

  get url(): string {
    if (this.#running === undefined) throw new Error('the server does not run');
    return this.#running.url;
  }

  get proxyPort(): number {
    return Number(this.#running?.proxy?.split(':')[1]);
  }

  /** Without address: where it listened last. */
  async start(listen?: string): Promise<void> {
    const options: StartServerOptions = {
      dataDirectory: this.folder,
      listen,
      config: this.#config,
      openHost: async () => this.host,
      onFailure: (failure) => this.failures.push(failure),
      now: () => Date.now() + this.clockOffset,
    };
    this.#running = await startServer(options);
  }

  async stop(): Promise<void> {
    await this.#running?.close();
    this.#running = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Makes a VM and answers the token that its first start was given. */
  async makeVm(name: string, dataDiskSizesGb: number[] = [8]): Promise<{ token: string; vm: Record<string, unknown> }> {
    const { vm } = await this.admin.call('vm-create', {
      resourceGroup: 'rg',
      name,
      image: 'debian-12',
      size: 'Standard_B1ms',
      location: null,
      zone: null,
      dataDiskSizesGb,
    });
    return { token: this.lastToken(), vm: vm as Record<string, unknown> };
  }

  lastToken(): string {
    return String(this.host.starts.at(-1)?.options.provision?.['join-token']);
  }
}
