import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { tlsOptions } from '../agents/agent-app.ts';
import { Authority } from '../identity/authority.ts';
import { Enrollment } from '../identity/enrollment.ts';
import { FailedJoins } from '../identity/failed-joins.ts';
import { Identity } from '../identity/identity.ts';
import { JoinTokens } from '../identity/join-tokens.ts';
import { azureHosts } from '../identity/oauth/host-names.ts';
import { identityRoutes } from '../identity/routes.ts';
import { defaultServerNames, openServerCertificate } from '../identity/server-certificate.ts';
import { CertificateStore } from '../storage/certificate-store.ts';
import { ServerDatabase } from '../storage/database.ts';
import { JoinTokenStore } from '../storage/join-token-store.ts';
import { SettingsStore } from '../storage/settings-store.ts';
import { VmStore } from '../storage/vm-store.ts';
import { type HttpAnswer, httpCall } from './http-call.ts';
import { makeRequest } from './test-agent.ts';

/** Identity alone, over real TLS, on a real database in a fresh folder. */
export class IdentityServer implements AsyncDisposable {
  readonly identity: Identity;
  readonly authority: Authority;
  readonly database: ServerDatabase;
  readonly enrollment: Enrollment;
  readonly folder: string;
  readonly failures: unknown[];
  readonly #app: FastifyInstance<Server>;
  readonly #tokens: JoinTokens;
  readonly #clock: { offset: number };

  private constructor(parts: {
    readonly identity: Identity;
    readonly authority: Authority;
    readonly database: ServerDatabase;
    readonly enrollment: Enrollment;
    readonly folder: string;
    readonly tokens: JoinTokens;
    readonly app: FastifyInstance<Server>;
    readonly clock: { offset: number };
    readonly failures: unknown[];
  }) {
    this.failures = parts.failures;
    this.identity = parts.identity;
    this.authority = parts.authority;
    this.database = parts.database;
    this.enrollment = parts.enrollment;
    this.folder = parts.folder;
    this.#tokens = parts.tokens;
    this.#app = parts.app;
    this.#clock = parts.clock;
  }

  static async start(): Promise<IdentityServer> {
    const folder = await mkdtemp(join(tmpdir(), 'kannuki-identity-'));
    await mkdir(join(folder, 'authority'), { mode: 0o700 });
    const clock = { offset: 0 };
    const now = (): number => Date.now() + clock.offset;
    const database = await ServerDatabase.open(join(folder, 'server.db'));
    const authority = await Authority.open(join(folder, 'authority'));
    const names = defaultServerNames();
    const tokens = new JoinTokens(new JoinTokenStore(database), authority.fingerprint);
    const certificates = new CertificateStore(database);
    const failedJoins = new FailedJoins();
    const enrollment = new Enrollment({ database, authority, tokens, certificates, failedJoins, now });
    const failures: unknown[] = [];
    const identity = new Identity({
      database,
      settings: new SettingsStore(database),
      authority,
      now,
      serverNames: names,
      vaultDnsSuffixes: ['vault.localhost'],
      // Counted, not endured.
      scrypt: { cost: 2 ** 10, blockSize: 8, parallelization: 1 },
      onFailure: (failure) => failures.push(failure),
    });
    const certificate = await openServerCertificate(join(folder, 'authority'), authority, [
      ...names,
      ...Object.values(azureHosts),
    ]);
    const app: FastifyInstance<Server> = fastify({
      https: {
        ...tlsOptions(certificate, authority.certificate),
        requestCert: true,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.3',
      },
      forceCloseConnections: true,
    });
    const onFailure = (failure: unknown): void => {
      failures.push(failure);
    };
    await app.register(async (routes) =>
      identityRoutes(routes as unknown as FastifyInstance, { identity, enrollment, onFailure }),
    );
    await app.listen({ host: '127.0.0.1', port: 0 });
    return new IdentityServer({ identity, authority, database, enrollment, folder, tokens, app, clock, failures });
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#app.server.address() as AddressInfo).port;
  }

  /** Moves the clock of everything but TLS. */
  pass(milliseconds: number): void {
    this.#clock.offset += milliseconds;
  }

  get(path: string, more: Partial<Parameters<typeof httpCall>[0]> = {}): Promise<HttpAnswer> {
    return httpCall({ url: `${this.url}${path}`, authority: this.authority.certificate, ...more });
  }

  /** A form to a token endpoint; without path to the one of version 2. */
  token(form: Readonly<Record<string, string>>, more: { path?: string; headers?: Record<string, string> } = {}) {
    return this.get(more.path ?? `/${this.identity.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...more.headers },
    });
  }

  /** A VM that has joined, with its certificate. */
  async joinedVm(id: string): Promise<{ readonly certificate: string; readonly key: string }> {
    new VmStore(this.database).add({
      id,
      resourceGroup: 'rg',
      name: id,
      hostName: id,
      state: 'ready',
      model: {
        location: 'local',
        zone: null,
        image: 'debian-12',
        imageUrn: 'Debian:debian-12:12:latest',
        size: 'Standard_B1ms',
        memoryMib: 2048,
        cpus: 1,
        dataDisks: [],
      },
      keyVolumeId: 'AAAA-BBBB',
      createdAt: 0,
    });
    const token = this.#tokens.issue(id, 3600, Date.now());
    const { request, key } = await makeRequest();
    const joined = await this.enrollment.join({ token, certificateSigningRequest: request, address: '127.0.0.1' });
    return { certificate: joined.certificate, key };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.close();
    await this.identity.signingKeys.settled();
    this.database.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
