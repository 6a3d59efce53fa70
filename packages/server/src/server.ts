import type { HostPort } from '@kannuki/host';
import { defaultListen, type ListenAddress, listenText, parseListen, urlOf } from './config/listen-address.ts';
import { parseServerConfig } from './config/server-config.ts';
import { type DataPaths, openDataDirectory } from './data-directory.ts';
import { type Domain, openDomain } from './domain.ts';
import { openFaces } from './faces.ts';
import { portOf } from './http/arm-face.ts';
import type { OnFailure } from './http/error-reply.ts';
import { type AdminFile, readAdminFile, writeAdminFile } from './identity/admin-file.ts';
import { defaultServerNames } from './identity/server-certificate.ts';
import { giveFirstRoles } from './resources/authorization/first-administrator.ts';

export interface StartServerOptions {
  /** Made where it is missing. */
  readonly dataDirectory: string;
  /** `HOST:PORT`; else what the configuration says, else where it listened last, else 127.0.0.1:8443. */
  readonly listen?: string | undefined;
  /** The parsed configuration file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Runs the VMs; its own state is in the given folder. */
  readonly openHost: (directory: string) => Promise<HostPort>;
  /** What goes wrong without anybody to answer to. */
  readonly onFailure?: OnFailure;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface RunningServer {
  readonly url: string;
  /** Where the CONNECT proxy listens, `HOST:PORT`; null where there is none. */
  readonly proxy: string | null;
  readonly dataDirectory: string;
  /** Answers what waits, lets what runs come to its end for a moment, and closes everything. */
  close(): Promise<void>;
}

/**
 * Starts the server on a data folder; where it is empty, makes authority, databases and `admin.json` first. Everything
 * that was known when it last ran is known again; machines that run are found, and key volumes that nobody took away are.
 * @throws KannukiError KNK-SRV-0001, 0002, 0012, 0013, 0014, 0021, 0025, KNK-KVT-…, KNK-HST-…
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const config = parseServerConfig(options.config);
  const paths = await openDataDirectory(options.dataDirectory);
  const onFailure = options.onFailure ?? (() => undefined);
  let listening: ListenAddress | undefined;
  const domain = await openDomain({
    paths,
    config,
    host: await options.openHost(paths.host),
    serverUrlForVms: () => urlForVms(listening ?? parseListen(defaultListen)),
    onFailure,
    now: options.now ?? Date.now,
  });
  const names = [...defaultServerNames(), ...config.names];
  const faces = await openFaces(domain, { paths, config, names, onFailure }).catch(async (error: unknown) => {
    await domain.close();
    throw error;
  });
  try {
    const wanted = parseListen(options.listen ?? config.listen ?? domain.settings.get('listen') ?? defaultListen);
    listening = await faces.listen(wanted);
    domain.settings.set('listen', listenText(listening));
    const url = urlOf(listening);
    await writeAdminFile(paths.adminFile, await adminFile(domain, paths, url));
    return {
      url,
      proxy: faces.proxy === undefined ? null : listenText(faces.proxy),
      dataDirectory: paths.root,
      async close() {
        await faces.close();
        await domain.close();
      },
    };
  } catch (error) {
    await faces.close();
    await domain.close();
    throw error;
  }
}

/**
 * Makes what a server needs and nothing more: folder, authority, databases, root key, `admin.json`. What is there stays.
 * @returns what `admin.json` holds
 */
export async function initServer(
  options: Pick<StartServerOptions, 'dataDirectory' | 'config' | 'openHost'>,
): Promise<AdminFile> {
  const config = parseServerConfig(options.config);
  const paths = await openDataDirectory(options.dataDirectory);
  const domain = await openDomain({
    paths,
    config,
    host: await options.openHost(paths.host),
    serverUrlForVms: () => '',
    onFailure: () => undefined,
    now: Date.now,
  });
  try {
    const listen = parseListen(config.listen ?? domain.settings.get('listen') ?? defaultListen);
    const content = await adminFile(domain, paths, urlOf(listen));
    await writeAdminFile(paths.adminFile, content);
    return content;
  } finally {
    await domain.close();
  }
}

async function adminFile(domain: Domain, paths: DataPaths, server: string): Promise<AdminFile> {
  const known = await readAdminFile(paths.adminFile);
  const administrator = await domain.identity.principals.ensureAdministrator(known);
  giveFirstRoles(administrator.objectId, { ...domain, assignments: domain.arm.assignments });
  return {
    server,
    caFile: domain.authority.certificateFile,
    tenantId: domain.tenantId,
    subscriptionId: domain.subscriptionId,
    ...administrator,
    vaultDnsSuffix: `${domain.vaultDnsSuffix}${portOf(server)}`,
  };
}

/** A VM of QEMU's user network reaches this machine's own loopback under 10.0.2.2. */
function urlForVms({ host, port }: ListenAddress): string {
  const isLoopbackOrAny = host === 'localhost' || host === '0.0.0.0' || host.startsWith('127.');
  return isLoopbackOrAny ? `https://10.0.2.2:${port}` : urlOf({ host, port });
}
