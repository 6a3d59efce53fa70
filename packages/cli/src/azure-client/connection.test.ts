import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type ErrorCode, KannukiError, SecretBytes } from '@kannuki/core';
import { type Answer, AzureServer, errorBody } from '../testing/azure-server.ts';
import { AzureConnection } from './connection.ts';
import { defaultBounds } from './exchange.ts';
import { waitForEnd } from './long-running.ts';
import { TokenSource } from './token-source.ts';

const secretOf = (text: string): SecretBytes => SecretBytes.copy(Buffer.from(text, 'utf8'));

function connect(server: AzureServer, ca = server.ca, url = server.url): AzureConnection {
  const way = { kind: 'https', server: url, ca } as const;
  const { tenantId, clientId, vaultDnsSuffix } = server;
  const clientSecret = secretOf(server.clientSecret);
  const tokens = new TokenSource({ way, credential: { tenantId, clientId, clientSecret, certificateFile: null } });
  return new AzureConnection({ way, tokens, vaultDnsSuffix, clientSecret });
}

const fails = (code: ErrorCode, pattern = /./) => {
  return (error: unknown): boolean => {
    assert.ok(error instanceof KannukiError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.describe('en'), pattern);
    return true;
  };
};

const ask = { plane: 'management', method: 'GET', path: '/x', what: 'the x' } as const;

test('a vault is reached by its name without any name service, with a token of its own', async () => {
  await using server = await AzureServer.start({
    'GET kv1/secrets/s1/': () => ({ body: { id: 'x', value: 'v"1"\n' } }),
  });
  using azure = connect(server);
  const plane = { vault: 'KV1' };
  const reply = await azure.call({ plane, method: 'GET', path: '/secrets/s1/', what: 's1', secretMember: 'value' });
  using secret = reply.secret;
  assert.equal(Buffer.from(secret?.bytes ?? []).toString(), 'v"1"\n');
  assert.deepEqual(reply.data, { id: 'x' });
  const scopes = server.calls
    .filter(({ path }) => path.endsWith('/token'))
    .map(({ body }) => (body as { scope: string }).scope);
  assert.deepEqual(scopes, [`https://${server.vaultDnsSuffix}/.default`]);
  const names = ['evil.example/', 'a', 'kv1.evil', 'kv--1', '-kv1', 'x'.repeat(25)];
  for (const vault of names)
    await assert.rejects(azure.call({ ...ask, plane: { vault } }), fails('KNK-CLI-0004'), vault);
});

test('the socket of this machine is asked without a token', async () => {
  await using server = await AzureServer.start({ 'PUT kv1/secrets/s1': ({ body }) => ({ body: { got: body } }) });
  using azure = new AzureConnection({ way: { kind: 'socket', socketPath: server.socketPath } });
  using value = secretOf('päss\u0001"\\');
  const request = { plane: { vault: 'kv1' }, method: 'PUT', path: '/secrets/s1', what: 's1' } as const;
  assert.deepEqual((await azure.call({ ...request, body: { value, n: 1 } })).data, {
    got: { value: 'päss\u0001"\\', n: 1 },
  });
  assert.equal((await azure.subscription()).tenantId, server.tenantId);
  using nobody = new AzureConnection({ way: { kind: 'socket', socketPath: '/nonexistent/admin.sock' } });
  await assert.rejects(nobody.call(ask), fails('KNK-SRV-0017', /ENOENT/));
});

test('an error of Azure becomes one of ours by its status, with Azure’s words, and never with a secret', async () => {
  await using server = await AzureServer.start();
  using azure = connect(server);
  const rows: [number, unknown, ErrorCode, RegExp][] = [
    [
      404,
      errorBody('SecretNotFound', 'A secret is not there.'),
      'KNK-AZC-0001',
      /not found: the x: SecretNotFound: A secret is not there$/,
    ],
    [403, errorBody('Forbidden', 'no\nway\u001b[1m'), 'KNK-AZC-0002', /Forbidden: no way \[1m$/],
    [429, errorBody('Throttled', 'slow'), 'KNK-AZC-0003', /Throttled: slow/],
    [503, undefined, 'KNK-AZC-0003', /HTTP status 503/],
    [400, errorBody('BadParameter', 'what?'), 'KNK-AZC-0005', /BadParameter/],
    [409, errorBody('Conflict', 'deleted'), 'KNK-AZC-0006', /Conflict/],
    [500, 'no JSON', 'KNK-AZC-0007', /HTTP status 500/],
    [200, 'no JSON', 'KNK-AZC-0007', /no JSON object/],
    [200, '[]', 'KNK-AZC-0007', /no JSON object/],
    [400, errorBody('BadParameter', 'canary-5d1 is too short'), 'KNK-AZC-0005', /: HTTP status 400$/],
  ];
  using canary = secretOf('canary-5d1');
  for (const [status, body, code, pattern] of rows) {
    server.routes = { 'POST /x': () => ({ status, body, headers: { 'retry-after': '7' } }) };
    const call = azure.call({ ...ask, method: 'POST', body: { inner: { value: canary } } });
    await assert.rejects(call, fails(code, pattern), `${status}`);
  }
  server.routes = { 'GET /x': () => ({ status: 429, headers: { 'retry-after': '7' } }) };
  await assert.rejects(
    azure.call(ask),
    (error) => error instanceof KannukiError && /wait 7 s/.test(error.remedy('en')),
  );
  assert.equal((await azure.call({ ...ask, path: '/none', expected: [404] })).status, 404);
});

test('servers that cannot be believed or do not answer: unreachable, in bounded time and memory', async () => {
  await using server = await AzureServer.start({ 'GET /x': () => ({ body: `"${'x'.repeat(2000)}"` }) });
  await using other = await AzureServer.start();
  await assert.rejects(connect(server, other.ca).call(ask), fails('KNK-AZC-0004', /SIGNATURE|ISSUER|SELF_SIGNED/));
  const url = server.url.replace('127.0.0.1', '127.0.0.2');
  await assert.rejects(connect(server, server.ca, url).call(ask), fails('KNK-AZC-0004'));

  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const bounded = (bounds: object, way: ConstructorParameters<typeof AzureConnection>[0]['way']) =>
    new AzureConnection({ way, bounds: { ...defaultBounds, ...bounds } });
  const away = { kind: 'https', server: `https://127.0.0.1:${port}`, ca: server.ca } as const;
  await assert.rejects(
    bounded({ connectSeconds: 0.05 }, away).call(ask),
    fails('KNK-AZC-0004', /no connection within 0.05 s/),
  );
  silent.close();
  const socket = { kind: 'socket', socketPath: server.socketPath } as const;
  await assert.rejects(bounded({ bodyBytes: 1000 }, socket).call(ask), fails('KNK-AZC-0007', /longer than 1000 bytes/));
});

test('a wrong secret is refused, and no error holds it', async () => {
  await using server = await AzureServer.start();
  const way = { kind: 'https', server: server.url, ca: server.ca } as const;
  using clientSecret = secretOf('wrong-canary-71b');
  const { tenantId, clientId } = server;
  const tokens = new TokenSource({ way, credential: { tenantId, clientId, clientSecret, certificateFile: null } });
  await assert.rejects(tokens.token(server.url), (error) => {
    fails('KNK-AZC-0008', /invalid_client$/)(error);
    return !JSON.stringify([error, (error as KannukiError).details]).includes('canary');
  });
  await assert.rejects(tokens.token('https://elsewhere'), fails('KNK-AZC-0008'));
});

test('a token is asked for once; one that was taken back is replaced, once', async () => {
  await using server = await AzureServer.start({ 'GET /x': () => ({ body: {} }) });
  using azure = connect(server);
  const tokenCalls = (): number => server.calls.filter(({ path }) => path.endsWith('/token')).length;
  await azure.call(ask);
  await azure.call(ask);
  assert.equal(tokenCalls(), 1);
  server.tokens.clear();
  await azure.call(ask);
  assert.equal(tokenCalls(), 2);
  server.routes = { 'GET /x': () => ({ status: 401, body: errorBody('Unauthorized', 'no') }) };
  const before = server.calls.length;
  await assert.rejects(azure.call(ask), fails('KNK-AZC-0002'));
  assert.equal(server.calls.length - before, 3, 'asked, new token, asked again');
});

test('a challenge is followed within the vault’s own domain only', async () => {
  await using server = await AzureServer.start({ 'GET kv1/keys': () => ({ body: { value: [] } }) });
  const way = { kind: 'https', server: server.url, ca: server.ca } as const;
  const asked: string[] = [];
  const tokens = {
    token: async (audience: string) => {
      asked.push(audience);
      return audience;
    },
    forget: () => {},
  } as unknown as TokenSource;
  using azure = new AzureConnection({ way, tokens, vaultDnsSuffix: 'vault.localhost' });
  server.tokens.set(`https://${server.vaultDnsSuffix}`, `https://${server.vaultDnsSuffix}`);
  assert.deepEqual(await azure.list({ plane: { vault: 'kv1' }, path: '/keys', what: 'keys' }), []);
  assert.deepEqual(asked, ['https://vault.localhost', `https://${server.vaultDnsSuffix}`]);
  const evil = 'Bearer resource="https://evil.example"';
  server.routes = { 'GET kv1/keys': () => ({ status: 401, headers: { 'www-authenticate': evil } }) };
  await assert.rejects(azure.list({ plane: { vault: 'kv1' }, path: '/keys', what: 'keys' }), fails('KNK-AZC-0002'));
  assert.ok(!asked.includes('https://evil.example'));
});

test('pages are followed at the same server, whatever host the link names', async () => {
  await using server = await AzureServer.start({
    'GET /things': ({ query }) => ({
      body: {
        value: [{ n: query.$skiptoken ?? '1' }],
        nextLink:
          query.$skiptoken === '3'
            ? null
            : `https://evil.example/things?api-version=1&$skiptoken=${query.$skiptoken === undefined ? 2 : 3}`,
      },
    }),
  });
  using azure = connect(server);
  const items = await azure.list({ plane: 'management', path: '/things', what: 'things' });
  assert.deepEqual(items, [{ n: '1' }, { n: '2' }, { n: '3' }]);
});

test('long-running operations: pauses as the server says, failures with its words, and an end in any case', async () => {
  await using server = await AzureServer.start();
  using azure = connect(server);
  const follow = async (headers: Record<string, string>, answers: Answer[], limitSeconds = 60): Promise<number[]> => {
    const next = (): Answer => answers.shift() ?? assert.fail('asked once more than needed');
    server.routes = { 'DELETE /rg': () => ({ status: 202, headers }), 'GET /op': next };
    const pauses: number[] = [];
    const first = await azure.call({ ...ask, method: 'DELETE', path: '/rg' });
    const pause = async (seconds: number): Promise<void> => void pauses.push(seconds);
    await waitForEnd(azure, first, { what: 'rg', onWait: () => {}, pause, limitSeconds });
    assert.equal(answers.length, 0);
    return pauses;
  };
  const operation = { 'azure-asyncoperation': `${server.url}/op?api-version=1`, 'retry-after': '3' };
  const running: Answer = { body: { status: 'InProgress' }, headers: { 'retry-after': '5' } };
  assert.deepEqual(await follow(operation, [running, running, { body: { status: 'Succeeded' } }]), [3, 5, 5]);
  const failed = { body: { status: 'Failed', error: { code: 'Locked', message: 'it is locked' } } };
  await assert.rejects(follow(operation, [failed]), fails('KNK-AZC-0007', /Locked: it is locked/));
  const location = { location: '/op?api-version=1' };
  assert.deepEqual(await follow(location, [{ status: 202 }, { status: 204 }]), [2, 2]);
  await assert.rejects(follow(operation, [running, running], 8), fails('KNK-AZC-0012', /within 8 s/));
});
