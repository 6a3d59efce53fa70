import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hosts, isPathOf } from './hosts.ts';

const options = { names: ['127.0.0.1', '::1', 'localhost', 'Kannuki.example'], vaultSuffix: 'vault.localhost' };

test('requests are sorted by Host; what is not ours is nothing', () => {
  const rows: readonly (readonly [string | undefined, string | undefined, string | undefined])[] = [
    // header, without the proxy, with it
    ['127.0.0.1:8443', 'server', 'server'],
    ['[::1]:8443', 'server', 'server'],
    ['LOCALHOST', 'server', 'server'],
    ['kannuki.EXAMPLE:443', 'server', 'server'],
    ['kv1.vault.localhost:8443', 'kv1 vault.localhost:8443', 'kv1 vault.localhost:8443'],
    ['KV1.Vault.Localhost', 'kv1 vault.localhost', 'kv1 vault.localhost'],
    ['kv1.vault.azure.net', undefined, 'kv1 vault.azure.net'],
    ['kv1.vault.azure.net:443', undefined, 'kv1 vault.azure.net'],
    ['management.azure.com', undefined, 'management'],
    ['login.microsoftonline.com:443', undefined, 'login'],
    ['graph.microsoft.com', undefined, 'graph'],
    ['a.b.vault.localhost', undefined, undefined],
    ['vault.localhost', undefined, undefined],
    ['.vault.localhost', undefined, undefined],
    ['kv1.vault.localhost.', undefined, undefined],
    ['kv1.vault.localhost.evil.example', undefined, undefined],
    ['evil.example', undefined, undefined],
    ['toString', undefined, undefined],
    ['localhost@evil.example', undefined, undefined],
    ['localhost:x', undefined, undefined],
    ['[127.0.0.1', undefined, undefined],
    ['', undefined, undefined],
    [undefined, undefined, undefined],
    ['x'.repeat(10_000), undefined, undefined],
  ];
  for (const [header, without, withProxy] of rows) {
    for (const [azureNames, expected] of [
      [false, without],
      [true, withProxy],
    ] as const) {
      const found = new Hosts({ ...options, azureNames }).kindOf(header);
      const text = found?.kind === 'vault' ? `${found.vault} ${found.suffix}` : found?.kind;
      assert.equal(text, expected, `${header} ${azureNames}`);
    }
  }
});

test("each of Azure's hosts has only what Azure has there", () => {
  const rows: readonly (readonly [Parameters<typeof isPathOf>[0], string, boolean])[] = [
    ['server', '/anything', true],
    ['management', '/subscriptions?api-version=1', true],
    ['management', '/SUBSCRIPTIONS/x', true],
    ['management', '/subscriptionsx', false],
    ['management', '/agent/v1/authority', false],
    ['login', '/tenant/oauth2/v2.0/token', true],
    ['login', '/Subscriptions/x', false],
    ['login', '/agent/v1/join', false],
    ['login', '/%73ubscriptions/x', false],
    ['login', '/agent%2fv1/join', false],
    ['login', '/%', false],
    ['login', '/tenant/oauth2/token?next=%', true],
    ['graph', '/v1.0/me', true],
    ['graph', '/tenant/oauth2/v2.0/token', false],
  ];
  for (const [kind, path, expected] of rows) assert.equal(isPathOf(kind, path), expected, `${kind} ${path}`);
});
