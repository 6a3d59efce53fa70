import { vaultPathPrefix } from '@kannuki/core';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { listenSilently } from '../testing/silent-listener.ts';
import { makeCertificates, serveTls } from '../testing/tls-server.ts';
import { type ConformanceSubject, vaultConformance } from '../testing/vault-conformance.ts';
import { RemoteVault } from './client.ts';
import { vaultRequestHandler } from './serve.ts';

async function subject(): Promise<ConformanceSubject> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(await ScratchVault.make('kv1'));
  const certificates = await makeCertificates(scratch.folder, 'ours');
  const server = stack.use(
    await serveTls(certificates, async (request, body, response) => {
      const { pathname } = new URL(request.url ?? '', 'https://localhost');
      const reply = await vaultRequestHandler(scratch.vault, pathname.slice(vaultPathPrefix.length), body);
      response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
    }),
  );
  const silent = stack.use(await listenSilently());
  const to = (serverUrl: string, connectTimeoutSeconds: number): RemoteVault => {
    const { authority, client } = certificates;
    const connection = { serverUrl, authority, ...client, connectTimeoutSeconds };
    return new RemoteVault({ connection, vaultName: 'kv1', vaultUri: scratch.vault.vaultUri });
  };
  const vault = to(server.url, 10);
  const wrapOnly = await scratch.vault.createKey('wrap-only', { operations: ['wrapKey'] });
  const kept = stack.move();
  return {
    vault,
    createKek: async (name) => (await scratch.vault.createKey(name)).id,
    disableKey: (id) => scratch.vault.setKeyEnabled(id, false),
    disableSecret: (id) => scratch.vault.setSecretEnabled(id, false),
    enableSecret: (id) => scratch.vault.setSecretEnabled(id, true),
    forbidden: { unwrapKey: () => vault.unwrapKey(wrapOnly.id, 'RSA-OAEP', Buffer.alloc(256)) },
    unreachable: to(`https://localhost:${silent.port}`, 0.3),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

vaultConformance('a vault behind the server', subject, { algorithms: ['RSA-OAEP', 'RSA-OAEP-256'] });
