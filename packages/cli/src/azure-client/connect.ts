import { join } from 'node:path';
import { adminSocketName } from '@kannuki/server/local-admin/contract';
import { dataDirectory } from '../commands/server/admin-connection.ts';
import { readAdminFile } from './admin-file.ts';
import { AzureConnection } from './connection.ts';
import type { Way } from './exchange.ts';
import { type Login, loginFolder, readLogin, writeLogin } from './login-file.ts';
import { TokenSource } from './token-source.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The server that a command means: with `--data`, or where nobody is logged in, the one of this machine through its
 * administrator's socket; else the one that `kannuki login` named.
 */
export async function connectAzure(data: string | undefined, environment: Environment): Promise<AzureConnection> {
  const folder = loginFolder(environment);
  const stored = data === undefined ? await readLogin(folder) : undefined;
  if (stored === undefined) {
    const directory = dataDirectory(data, environment);
    const socketPath = join(directory, adminSocketName);
    // Without port: ids that are given out here hold through whatever port the network uses.
    const suffix = (await readAdminFile(directory).catch(() => undefined))?.vaultDnsSuffix.replace(/:\d+$/, '');
    return new AzureConnection({
      way: { kind: 'socket', socketPath },
      ...(suffix === undefined ? {} : { vaultDnsSuffix: suffix }),
    });
  }
  const { login, clientSecret } = stored;
  const way: Way & { kind: 'https' } = { kind: 'https', server: login.server, ca: login.ca };
  const tokens = new TokenSource({
    way,
    credential: { ...login, clientSecret },
    known: login.tokens,
    // The next process saves itself a request; where the file cannot be written this one works all the same.
    onNew: async (fresh) => {
      await keepTokens(folder, login, fresh).catch(() => undefined);
    },
  });
  return new AzureConnection({
    way,
    tokens,
    vaultDnsSuffix: login.vaultDnsSuffix,
    objectId: login.objectId,
    subscription: {
      subscriptionId: login.subscriptionId,
      tenantId: login.tenantId,
      displayName: login.subscriptionName,
      state: 'Enabled',
    },
    clientSecret,
  });
}

/** Into the file of the same login only: somebody may have logged out or in again meanwhile. */
async function keepTokens(folder: string, login: Login, tokens: Login['tokens']): Promise<void> {
  const now = await readLogin(folder);
  using secret = now?.clientSecret;
  if (now === undefined || now.login.clientId !== login.clientId || now.login.server !== login.server) return;
  await writeLogin(folder, {
    login: { ...now.login, tokens: { ...now.login.tokens, ...tokens } },
    clientSecret: secret,
  });
}
