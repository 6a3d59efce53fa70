import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { ServerProcess } from './server-process.ts';

const root = join(import.meta.dirname, '../../../..');

/** Stands for the line in /etc/hosts that the page tells of: the machine that runs the tests need not have it. */
const hostsLine = `import dns from 'node:dns';
const { lookup } = dns;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.vault.localhost') ? '127.0.0.1' : name, ...rest);`;

test('the script in docs/keyvault.md does what it says, with admin.json and the SDKs alone', async () => {
  const page = readFileSync(join(root, 'docs/keyvault.md'), 'utf8');
  const script = /^```js\n(.*?)^```$/ms.exec(page)?.[1];
  assert.ok(script);
  await using server = await ServerProcess.start();
  const { stdout } = await run(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(hostsLine)}`,
      '--input-type=module',
      '-',
      join(server.data, 'admin.json'),
    ],
    { input: script, workingDirectory: root, environment: { NODE_EXTRA_CA_CERTS: server.admin.caFile } },
  );
  const [, id, wrapped] = /^(\S+) ([\w-]+)\n$/.exec(stdout) ?? [];
  assert.match(id ?? '', new RegExp(`^https://kv2\\.${server.admin.vaultDnsSuffix}/keys/key1/[0-9a-f]{32}$`));
  assert.equal(Buffer.from(wrapped ?? '', 'base64url').length, 3072 / 8);
});
