import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { KannukiError, SecretBytes, vaultPathPrefix } from '@kannuki/core';
import { escrowBlob, escrowPassphrase } from '../escrow/escrow.ts';
import { generatePassphrase } from '../escrow/passphrase.ts';
import { releasePassphrase } from '../escrow/release.ts';
import { openVault } from '../open-vault.ts';
import { ScratchFolder, ScratchVault } from '../testing/scratch-vaults.ts';
import { makeCertificates, serveTls, type TestCertificates, type TestServer } from '../testing/tls-server.ts';
import { RemoteVault, type ServerConnection } from './client.ts';
import { type Authorize, vaultRequestHandler } from './serve.ts';

let scratch: ScratchVault;
let certificates: TestCertificates;
let strangers: TestCertificates;

before(async () => {
  scratch = await ScratchVault.make('kv1');
  certificates = await makeCertificates(scratch.folder, 'ours');
  strangers = await makeCertificates(scratch.folder, 'theirs');
});
after(() => scratch[Symbol.asyncDispose]());

/** The smallest server that mounts the handler: what packages/server does with its framework. */
function serveVaults(authorize?: Authorize, failures: unknown[] = []): Promise<TestServer> {
  return serveTls(certificates, async (request, body, response) => {
    const url = new URL(request.url ?? '', 'https://localhost');
    assert.equal(request.method, 'POST');
    assert.equal(url.searchParams.get('vault'), 'kv1');
    assert.ok(url.pathname.startsWith(vaultPathPrefix));
    const reply = await vaultRequestHandler(scratch.vault, url.pathname.slice(vaultPathPrefix.length), body, authorize);
    if (reply.failure !== undefined) failures.push(reply.failure);
    assert.ok(
      body.every((byte) => byte === 0),
      'the request was wiped',
    );
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
  });
}

function connectionTo(serverUrl: string, more: Partial<ServerConnection> = {}): ServerConnection {
  const { authority, client } = certificates;
  return { serverUrl, authority, ...client, connectTimeoutSeconds: 2, totalTimeoutSeconds: 5, ...more };
}

function remote(serverUrl: string, more: Partial<ServerConnection> = {}): RemoteVault {
  return new RemoteVault({ connection: connectionTo(serverUrl, more), vaultName: 'kv1' });
}

async function failure(attempt: Promise<unknown>): Promise<KannukiError> {
  const error: unknown = await attempt.then(
    (result) => assert.fail(inspect(result)),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KannukiError, inspect(error));
  return error;
}

describe('a vault behind the server', () => {
  it('escrows and releases as the vault itself does', async () => {
    await using server = await serveVaults();
    const { id: kekId } = await scratch.vault.createKey('kek');
    const connection = connectionTo(server.url);
    await using vault = await openVault('https://kv1.vault.localhost/', { isOnLocalDisk: () => false, connection });
    assert.equal(vault.vaultUri, scratch.vault.vaultUri);
    using passphrase = generatePassphrase();
    for (const algorithm of ['RSA-OAEP', 'RSA-OAEP-256'] as const) {
      const options = { passphrase, secretName: 'volume', kekId, algorithm, machineName: '日本' };
      const receipt = await escrowPassphrase(vault, options);
      using there = await releasePassphrase(scratch.vault, receipt);
      assert.ok(there.equals(passphrase));
      using here = await releasePassphrase(vault, receipt);
      assert.ok(here.equals(passphrase));
    }
    assert.deepEqual(await vault.keyInfo(kekId), await scratch.vault.keyInfo(kekId));
    using large = SecretBytes.take(Buffer.alloc(25 * 1024, 'x'));
    await escrowBlob(vault, { blob: large, secretName: 'header' });
  });

  it('tells the failures of the vault apart, as if it were here', async () => {
    await using server = await serveVaults();
    const vault = remote(server.url);
    const key = await scratch.vault.createKey('disabled');
    await scratch.vault.setKeyEnabled(key.id, false);
    const wrapOnly = await scratch.vault.createKey('wrap-only', { operations: ['wrapKey'] });
    using value = generatePassphrase();
    const expected: readonly [string, () => Promise<unknown>][] = [
      ['KNK-KVT-0003', () => vault.getSecret(`${scratch.vault.vaultUri}secrets/none`)],
      ['KNK-KVT-0003', () => vault.keyInfo(`${scratch.vault.vaultUri}keys/none`)],
      ['KNK-KVT-0004', () => vault.wrapKey(key.id, 'RSA-OAEP', value)],
      ['KNK-KVT-0002', () => vault.unwrapKey(wrapOnly.id, 'RSA-OAEP', Buffer.alloc(256))],
      [
        'KNK-KVT-0018',
        () => vault.unwrapKey(wrapOnly.id.replace('wrap-only', 'kek').slice(0, -33), 'RSA-OAEP', Buffer.of(1)),
      ],
      ['KNK-KVT-0008', () => vault.setSecret('no name', value, { contentType: null, tags: {} })],
      ['KNK-KVT-0008', () => vault.getSecret('')],
      ['KNK-KVT-0008', () => vault.wrapKey(key.id, 'RSA1_5' as 'RSA-OAEP', value)],
      [
        'KNK-KVT-0007',
        () => vault.setSecret('name', SecretBytes.take(Buffer.alloc(26_000, 'x')), { contentType: null, tags: {} }),
      ],
    ];
    for (const [code, attempt] of expected) {
      const error = await failure(attempt());
      assert.equal(error.code, code);
      assert.notEqual(error.describe('ja'), error.describe('en'));
      assert.doesNotMatch(error.message, /\{\w+\}/, 'every detail of the text came over');
    }
  });

  it('does only what the server authorizes', async () => {
    const asked: unknown[] = [];
    await using server = await serveVaults((request) => {
      asked.push(request);
      if (request.call === 'getSecret') {
        const details = { vault: 'kv1', call: request.call, object: request.object };
        throw new KannukiError('KNK-KVT-0002', { details });
      }
    });
    const vault = remote(server.url);
    using value = generatePassphrase();
    const { id } = await vault.setSecret('mine', value, { contentType: null, tags: {} });
    const error = await failure(vault.getSecret(id));
    assert.equal(error.code, 'KNK-KVT-0002');
    assert.equal(error.exitCode, 77);
    assert.deepEqual(asked, [
      { call: 'setSecret', object: 'mine' },
      { call: 'getSecret', object: id },
    ]);
  });

  it('does not pass on what broke inside, but tells the server', async () => {
    const failures: unknown[] = [];
    await using server = await serveVaults(() => {
      throw new TypeError('CANARY inside');
    }, failures);
    const error = await failure(remote(server.url).keyInfo(`${scratch.vault.vaultUri}keys/kek`));
    assert.equal(error.code, 'KNK-KVT-0019');
    assert.doesNotMatch(inspect(error), /CANARY/);
    assert.match(String(failures[0]), /CANARY/);
  });
});

describe('the handler, given hostile requests', () => {
  it('answers every one with an error and status below 500', async () => {
    const bodies = [
      '',
      '{',
      'null',
      '[]',
      '{}',
      '{"keyId":1}',
      '{"keyId":"x"}',
      '{"keyId":"x","value":"QUJD"}',
      '{"name":"a","value":"QUJD"}',
      '{"name":"a","value":"QUJD","contentType":1,"tags":{}}',
      '{"name":"a","value":"QUJD","contentType":null,"tags":{"a":1}}',
      '{"name":"a","value":"QUJD","contentType":null,"tags":[]}',
      `{"secretId":"${'x'.repeat(5000)}"}`,
      'x'.repeat(70_000),
    ];
    const calls = ['keyInfo', 'wrapKey', 'unwrapKey', 'setSecret', 'getSecret', 'constructor', '__proto__', '', '../x'];
    for (const call of calls) {
      for (const text of bodies) {
        const body = Buffer.from(text);
        const { status, body: answer } = await vaultRequestHandler(scratch.vault, call, body);
        assert.ok(status >= 400 && status < 500, `${call} ${text.slice(0, 60)}: ${status}`);
        const { error } = JSON.parse(answer.toString()) as { error: { code: string } };
        assert.match(error.code, /^KNK-KVT-\d{4}$/);
        assert.ok(
          body.every((byte) => byte === 0),
          'the request was wiped',
        );
      }
    }
  });
});

describe('the connection to the server', () => {
  const keyId = 'https://kv1.vault.localhost/keys/kek';
  const answering =
    (status: number, text: string) =>
    async (_request: IncomingMessage, _body: Buffer, response: ServerResponse): Promise<void> => {
      response.writeHead(status).end(text);
    };

  it('is refused to a server of another authority, another name, or without TLS 1.2', async () => {
    const answer = answering(200, '{}');
    await using stranger = await serveTls(strangers, answer);
    assert.equal((await failure(remote(stranger.url).keyInfo(keyId))).code, 'KNK-KVT-0001');
    await using ours = await serveTls(certificates, answer);
    const otherName = ours.url.replace('localhost', '127.0.0.2');
    assert.equal((await failure(remote(otherName).keyInfo(keyId))).code, 'KNK-KVT-0001');
    await using old = await serveTls(certificates, answer, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
    assert.equal((await failure(remote(old.url).keyInfo(keyId))).code, 'KNK-KVT-0001');
    assert.equal((await failure(remote(ours.url).keyInfo(keyId))).code, 'KNK-KVT-0014', 'and this one is reached');
  });

  it('is refused to a client of another authority', async () => {
    await using server = await serveVaults();
    const error = await failure(remote(server.url, strangers.client).keyInfo(keyId));
    assert.equal(error.code, 'KNK-KVT-0001');
    assert.equal(error.exitCode, 69);
  });

  it('tells what is no answer of ours', async () => {
    const answers: readonly [number, string, string][] = [
      [200, 'not JSON', 'KNK-KVT-0014'],
      [200, '{}', 'KNK-KVT-0014'],
      [200, '{"id":"x","kind":"RSA","bits":"2048","enabled":true,"operations":[]}', 'KNK-KVT-0014'],
      [200, '{"id":"x","kind":"AES","bits":2048,"enabled":true,"operations":[]}', 'KNK-KVT-0014'],
      [200, '{"id":"x","kind":"RSA","bits":2048,"enabled":true,"operations":[],"value":"QUJD"}', 'KNK-KVT-0014'],
      [200, 'x'.repeat(70_000), 'KNK-KVT-0014'],
      [302, '', 'KNK-KVT-0014'],
      [404, 'Not Found', 'KNK-KVT-0014'],
      [403, 'Forbidden', 'KNK-KVT-0002'],
      [503, 'Service Unavailable', 'KNK-KVT-0001'],
      [400, '{"error":{"code":"toString"}}', 'KNK-KVT-0014'],
      [500, '{"error":{"code":"KNK-KVT-0003","details":{"object":"a\\u001b[31m\\nb"}}}', 'KNK-KVT-0003'],
    ];
    for (const [status, text, code] of answers) {
      await using server = await serveTls(certificates, answering(status, text));
      const error = await failure(remote(server.url).keyInfo(keyId));
      assert.equal(error.code, code, `${status} ${text.slice(0, 80)}`);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
    }
  });

  it('gives up when nobody listens, when TLS does not come up, and when no answer comes', async () => {
    const unused = await serveTls(certificates, answering(200, '{}'));
    await unused[Symbol.asyncDispose]();
    assert.equal((await failure(remote(unused.url).keyInfo(keyId))).code, 'KNK-KVT-0001');

    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const started = performance.now();
    const late = await failure(remote(`https://localhost:${port}`, { connectTimeoutSeconds: 0.3 }).keyInfo(keyId));
    assert.match(late.message, /no connection in 0\.3 s/);
    for (const socket of sockets) socket.destroy();
    silent.close();

    await using stuck = await serveTls(certificates, async () => undefined);
    const unanswered = await failure(remote(stuck.url, { totalTimeoutSeconds: 0.5 }).keyInfo(keyId));
    assert.match(unanswered.message, /no answer in 0\.5 s/);

    await using dripping = await serveTls(certificates, async (_request, _body, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    });
    assert.equal(
      (await failure(remote(dripping.url, { totalTimeoutSeconds: 0.5 }).keyInfo(keyId))).code,
      'KNK-KVT-0001',
    );
    await using cut = await serveTls(certificates, async (_request, _body, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{');
      setTimeout(() => response.destroy(), 50);
    });
    assert.equal((await failure(remote(cut.url).keyInfo(keyId))).code, 'KNK-KVT-0001');
    assert.ok(performance.now() - started < 10_000);
  });

  it('says so when its own certificate is unusable', async () => {
    await using folder = await ScratchFolder.make();
    const connection = connectionTo('https://localhost:1', { certificate: folder.path });
    const vault = new RemoteVault({ connection, vaultName: 'kv1' });
    assert.equal((await failure(vault.keyInfo(keyId))).code, 'KNK-KVT-0001');
  });
});
