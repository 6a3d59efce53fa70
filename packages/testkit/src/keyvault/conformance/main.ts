import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ServerProcess } from '../server-process.ts';

/**
 * `npm run conformance:keyvault`: Azure's own SDKs, unmodified, against our server over TLS, in both ways to reach a vault:
 * by name (`NAME.vault.localhost`, which needs libnss-myhostname) and through the CONNECT proxy, where the SDKs run with
 * their defaults and believe that they talk to `NAME.vault.azure.net`. Ends with 1 when a single sample fails.
 */
const folder = import.meta.dirname;
const files = globSync('*.conformance.ts', { cwd: folder }).map((name) => join(folder, name));

let failed = false;
for (const mode of ['names', 'proxy'] as const) {
  const proxyPort = await freePort();
  const config = mode === 'proxy' ? `[server]\nproxyListen = "127.0.0.1:${proxyPort}"\n` : '';
  await using server = await ServerProcess.start({ config });
  process.stdout.write(`== ${mode}: ${server.url}\n`);
  const code = await runTests({
    NODE_EXTRA_CA_CERTS: server.admin.caFile,
    KANNUKI_CONFORMANCE_ADMIN: join(server.data, 'admin.json'),
    KANNUKI_CONFORMANCE_MODE: mode,
    ...(mode === 'proxy' && { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`, NO_PROXY: '' }),
  });
  if (code !== 0) process.stdout.write(`${server.said}\n`);
  failed ||= code !== 0;
}
process.exitCode = failed ? 1 : 0;

/** The environment has to be there before Node starts: hence a process of its own. */
function runTests(environment: Readonly<Record<string, string>>): Promise<number | null> {
  const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...files], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error()),
      );
    });
  });
}
