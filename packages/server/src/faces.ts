import { randomUUID } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError } from '@kannuki/core';
import type { FastifyInstance } from 'fastify';
import { agentApp, tlsOptions } from './agents/agent-app.ts';
import { type ListenAddress, listenText } from './config/listen-address.ts';
import type { DataPaths } from './data-directory.ts';
import type { Domain } from './domain.ts';
import type { OnFailure } from './http/error-reply.ts';
import { openServerCertificate } from './identity/server-certificate.ts';
import { adminApp } from './local-admin/admin-app.ts';
import { adminByteHandlers } from './local-admin/byte-operations.ts';
import { adminHandlers } from './local-admin/operations.ts';

export interface FacesOptions {
  readonly paths: DataPaths;
  /** Names and addresses for the server's certificate. */
  readonly names: readonly string[];
  readonly onFailure: OnFailure;
}

export interface Faces {
  /** Opens the network and the administrator's socket. @returns where it listens. @throws KannukiError KNK-SRV-0012 */
  listen(wanted: ListenAddress): Promise<ListenAddress>;
  close(): Promise<void>;
}

const certificateCheckMilliseconds = 3600 * 1000;
/** What still runs so long after the end was asked for is cut off. */
const closeMilliseconds = 5000;

/** The ways in: HTTPS for agents, a unix socket for the administrator of this machine. */
export async function openFaces(domain: Domain, { paths, names, onFailure }: FacesOptions): Promise<Faces> {
  const closing = new AbortController();
  const authority = domain.authority.certificate;
  const certificate = await openServerCertificate(paths.authority, domain.authority, names);
  const agents = await agentApp({
    certificate,
    authority,
    enrollment: domain.enrollment,
    encryption: domain.encryption,
    keyVolumes: domain.keyVolumes,
    vms: domain.vmStore,
    vaults: domain.vaults,
    ownership: domain.ownership,
    closing: closing.signal,
    onFailure,
  });
  const admin = await adminApp({
    handlers: adminHandlers(domain),
    byteHandlers: adminByteHandlers(domain.sealable),
    closing: closing.signal,
    onFailure,
  });
  const renewal = setInterval(() => {
    openServerCertificate(paths.authority, domain.authority, names)
      .then((current) => agents.server.setSecureContext({ ...tlsOptions(current, authority), minVersion: 'TLSv1.3' }))
      .catch((error: unknown) => onFailure({ trace: randomUUID(), what: "renew the server's certificate", error }));
  }, certificateCheckMilliseconds);
  renewal.unref();

  return {
    async listen(wanted) {
      const address = await listenOn(agents, wanted);
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
      await Promise.all([Promise.race([agents.close(), cutOff.then(() => agents.close())]), admin.close()]);
      await rm(paths.adminSocket, { force: true });
    },
  };
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
