import { randomUUID } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { KannukiError } from '@kannuki/core';
import type { Caller } from '@kannuki/keyvault/service/access';
import type { FastifyInstance } from 'fastify';
import { agentApp, tlsOptions } from './agents/agent-app.ts';
import { type ListenAddress, listenText, parseListen, urlOf } from './config/listen-address.ts';
import type { ServerConfig } from './config/server-config.ts';
import type { DataPaths } from './data-directory.ts';
import type { Domain } from './domain.ts';
import { armByLocalAdministrator, armByToken, portOf } from './http/arm-face.ts';
import { DataPlaneFace } from './http/data-plane-face.ts';
import type { OnFailure } from './http/error-reply.ts';
import { azureHosts, azureVaultSuffix, Hosts } from './http/hosts.ts';
import { openServerCertificate, type ServerCertificate } from './identity/server-certificate.ts';
import { adminApp } from './local-admin/admin-app.ts';
import { adminHandlers } from './local-admin/operations.ts';
import { ConnectProxy } from './proxy/connect-proxy.ts';

export interface FacesOptions {
  readonly paths: DataPaths;
  readonly config: Pick<ServerConfig, 'proxyListen' | 'proxyBeyondLoopback'>;
  /** Names and addresses for the server's certificate. */
  readonly names: readonly string[];
  readonly onFailure: OnFailure;
}

export interface Faces {
  /** Opens the network and the administrator's socket. @returns where it listens. @throws KannukiError KNK-SRV-0012 */
  listen(wanted: ListenAddress): Promise<ListenAddress>;
  /** Where the CONNECT proxy listens, when there is one and it does. */
  readonly proxy: ListenAddress | undefined;
  close(): Promise<void>;
}

const certificateCheckMilliseconds = 3600 * 1000;
/** What still runs so long after the end was asked for is cut off. */
const closeMilliseconds = 5000;

/** Every name that Azure's clients use through the proxy. */
const azureNames = [...Object.keys(azureHosts), `*.${azureVaultSuffix}`];

/**
 * The ways in: HTTPS for agents and Azure's clients, a CONNECT proxy to it where the owner wants one, and a unix socket
 * for the administrator of this machine.
 */
export async function openFaces(domain: Domain, options: FacesOptions): Promise<Faces> {
  const { paths, config, names, onFailure } = options;
  const closing = new AbortController();
  const authority = domain.authority.certificate;
  const { vaultDnsSuffix, arm: services, tenantId } = domain;
  const hasProxy = config.proxyListen !== undefined;
  let serverUrl = '';
  let proxyAddress: ListenAddress | undefined;
  const place = { serverUrl: () => serverUrl, vaultSuffix: () => `${vaultDnsSuffix}${portOf(serverUrl)}` };
  const certificates = await openCertificates(domain, paths, [...names, `*.${vaultDnsSuffix}`], hasProxy);
  const { verifier } = domain.identity;
  const dataPlane = new DataPlaneFace({
    dataPlane: domain.dataPlane,
    audit: domain.audit,
    verifier,
    tenantId,
    loginUrl: place.serverUrl,
    now: domain.now,
    onFailure,
  });
  let azureContext = certificates.azure;
  const agents = await agentApp({
    certificate: certificates.own,
    authority,
    certificateFor: (name) => (isAzureName(name) ? azureContext : undefined),
    hosts: new Hosts({ names, vaultSuffix: vaultDnsSuffix, azureNames: hasProxy }),
    dataPlane,
    identity: domain.identity,
    arm: armByToken({ services, verifier, vaultDnsSuffix, serverUrl: place.serverUrl }),
    enrollment: domain.enrollment,
    encryption: domain.encryption,
    keyVolumes: domain.keyVolumes,
    vms: domain.vmStore,
    vaults: domain.vaults,
    ownership: domain.ownership,
    audit: domain.audit,
    now: domain.now,
    closing: closing.signal,
    onFailure,
  });
  const administrator: Caller = {
    objectId: 'local-administrator',
    applicationId: null,
    tenantId,
    address: 'local',
    isLocalAdministrator: true,
  };
  const admin = await adminApp({
    handlers: adminHandlers({ ...domain, vaultSuffix: place.vaultSuffix }),
    hosts: new Hosts({ names, vaultSuffix: vaultDnsSuffix, azureNames: false }),
    dataPlane,
    arm: armByLocalAdministrator(services, administrator, place),
    caller: administrator,
    closing: closing.signal,
    onFailure,
  });
  const proxy = hasProxy
    ? new ConnectProxy({
        accept: (socket) => agents.server.emit('connection', socket),
        beyondLoopback: config.proxyBeyondLoopback,
      })
    : undefined;
  const renewal = setInterval(() => {
    openCertificates(domain, paths, [...names, `*.${vaultDnsSuffix}`], hasProxy)
      .then((current) => {
        azureContext = current.azure;
        agents.server.setSecureContext({ ...tlsOptions(current.own, authority), minVersion: 'TLSv1.3' });
      })
      .catch((error: unknown) => onFailure({ trace: randomUUID(), what: "renew the server's certificate", error }));
  }, certificateCheckMilliseconds);
  renewal.unref();

  return {
    get proxy() {
      return proxyAddress;
    },
    async listen(wanted) {
      const address = await listenOn(agents, wanted);
      serverUrl = urlOf(address);
      if (proxy !== undefined) proxyAddress = await proxy.listen(parseListen(config.proxyListen ?? ''));
      await listenOnSocket(admin, paths.adminSocket);
      return address;
    },
    async close() {
      clearInterval(renewal);
      closing.abort();
      domain.signals.wakeAll();
      const cutOff = sleep(closeMilliseconds, undefined, { ref: false }).then(() =>
        agents.server.closeAllConnections(),
      );
      await Promise.all([
        Promise.race([agents.close(), cutOff.then(() => agents.close())]),
        admin.close(),
        proxy?.close(),
      ]);
      await rm(paths.adminSocket, { force: true });
    },
  };
}

/** The server's own certificate and, only where its owner has turned the proxy on, one for Azure's names. */
async function openCertificates(
  { authority }: Domain,
  paths: DataPaths,
  names: readonly string[],
  withAzure: boolean,
): Promise<{ readonly own: ServerCertificate; readonly azure: SecureContext | undefined }> {
  const own = await openServerCertificate(paths.authority, authority, names);
  if (!withAzure) return { own, azure: undefined };
  const azure = await openServerCertificate(paths.authority, authority, azureNames, new Date(), 'azure-names.pem');
  const context = createSecureContext({ ...tlsOptions(azure, authority.certificate), minVersion: 'TLSv1.3' });
  return { own, azure: context };
}

function isAzureName(name: string): boolean {
  return Object.hasOwn(azureHosts, name) || name.endsWith(`.${azureVaultSuffix}`);
}

async function listenOn(app: FastifyInstance<Server>, wanted: ListenAddress): Promise<ListenAddress> {
  try {
    await app.listen({ host: wanted.host, port: wanted.port });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new KannukiError('KNK-SRV-0012', { details: { address: listenText(wanted), reason }, cause: error });
  }
  const { port } = app.server.address() as AddressInfo;
  return { host: wanted.host, port };
}

/** No other server is on this folder (its database is locked), so a socket that is there is a dead one. */
async function listenOnSocket(app: FastifyInstance, path: string): Promise<void> {
  await rm(path, { force: true });
  try {
    await app.listen({ path });
    // Nobody came before: the folder itself lets only its owner in.
    await chmod(path, 0o600);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new KannukiError('KNK-SRV-0012', { details: { address: path, reason }, cause: error });
  }
}
