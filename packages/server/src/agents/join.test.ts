import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority } from '../identity/authority.ts';
import { exportPrivateKey, generateKeys } from '../identity/x509.ts';
import { httpCall } from '../testing/http-call.ts';
import { authorityOf, makeRequest, TestAgent, tryJoin } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

test('a VM joins once: the certificate names the VM, not what the request says', async () => {
  await using server = await TestServer.start();
  const { token, vm } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  const certificate = new X509Certificate(agent.identity?.certificate ?? '');
  assert.equal(agent.vmId, vm.vmId);
  assert.equal(certificate.subject, `CN=${String(vm.vmId)}`);
  assert.equal(certificate.ca, false);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  assert.ok(certificate.verify(new X509Certificate(agent.authority).publicKey));
  const days = (certificate.validToDate.getTime() - Date.now()) / 86_400_000;
  assert.ok(days > 29 && days < 31, `${days} days`);
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 204);

  const again = await tryJoin(server, token, (await makeRequest()).request);
  assert.equal(again.answer.status, 401);
  assert.deepEqual(again.answer.json?.error, {
    code: 'KNK-SRV-0005',
    message: 'the join token is not accepted: it is unknown, used or too old',
    details: {},
  });
});

test('an expired token is refused in the same words as an unknown one', async () => {
  await using server = await TestServer.start({ server: { joinTokenSeconds: 60 } });
  const { token } = await server.makeVm('vm1');
  const { request } = await makeRequest();
  const unknown = await tryJoin(server, `${token.slice(0, 10)}AAAA${token.slice(14)}`, request);
  server.clockOffset = 61_000;
  const expired = await tryJoin(server, token, request);
  assert.equal(expired.answer.status, 401);
  assert.equal(expired.answer.text, unknown.answer.text);
});

test('of many at once with one token exactly one wins', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const requests = await Promise.all(Array.from({ length: 12 }, () => makeRequest()));
  const answers = await Promise.all(requests.map(({ request }) => tryJoin(server, token, request)));
  const won = answers.filter(({ answer }) => answer.status === 200);
  assert.equal(won.length, 1);
  assert.ok(answers.every(({ answer }) => [200, 401, 429].includes(answer.status)));
  // No certificate of those who lost is on record: only one admits.
  const { DatabaseSync } = await import('node:sqlite');
  await server.stop();
  const database = new DatabaseSync(join(server.folder, 'server.db'));
  assert.equal(database.prepare('SELECT count(*) AS n FROM agent_certificates').get()?.n, 1);
  database.close();
});

test('a new start gives a new token and the old one is worth nothing', async () => {
  await using server = await TestServer.start();
  const { token: old } = await server.makeVm('vm1');
  await server.admin.call('vm-restart', { resourceGroup: 'rg', name: 'vm1' });
  const { request } = await makeRequest();
  assert.equal((await tryJoin(server, old, request)).answer.status, 401);
  assert.equal((await tryJoin(server, server.lastToken(), request)).answer.status, 200);
});

test('a member gets no token at its next start; one that never used its certificate does', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  await server.admin.call('vm-restart', { resourceGroup: 'rg', name: 'vm1' });
  assert.notEqual(server.lastToken(), 'undefined', 'the answer to the join may have been lost');
  await agent.call('GET', '/goal?after=0&wait=0');
  await server.admin.call('vm-restart', { resourceGroup: 'rg', name: 'vm1' });
  assert.equal(server.lastToken(), 'undefined');
});

test('requests that prove nothing are refused and cost no token', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const good = await makeRequest();
  const der = Buffer.from(good.request.replace(/-----.*-----|\s/g, ''), 'base64');
  der.writeUInt8(der.readUInt8(der.length - 3) ^ 1, der.length - 3);
  const pem = (bytes: Buffer): string =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const rsa = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const bad = {
    'a changed signature': pem(der),
    'an RSA key': (await makeRequest(rsa)).request,
    'a P-384 key': (await makeRequest({ name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' })).request,
    'no request': 'hello',
    'cut short': pem(der.subarray(0, 90)),
  };
  for (const [what, request] of Object.entries(bad)) {
    const { answer } = await tryJoin(server, token, request);
    assert.equal(answer.status, 400, what);
    assert.equal(answer.errorCode, 'KNK-SRV-0008', what);
  }
  assert.equal((await tryJoin(server, token, good.request)).answer.status, 200);
  assert.deepEqual(server.failures, []);
});

test('neither token nor its secret is in any file of the server', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const secret = token.split('.')[1] ?? '';
  const planted = [token, secret, Buffer.from(secret, 'base64url')];
  for (const name of await readdir(server.folder, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const content = await readFile(join(name.parentPath, name.name));
    for (const one of planted) assert.equal(content.indexOf(one), -1, `${name.name} holds it`);
  }
});

test('too many failures are told to wait, and lock nobody out who has a good token', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const { request } = await makeRequest();
  const bad = `knt1.${'A'.repeat(43)}.${'B'.repeat(43)}`;
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const { answer } = await tryJoin(server, bad, request);
    statuses.push(answer.status);
    if (answer.status === 429) assert.match(String(answer.headers['retry-after']), /^[1-9]\d?$/);
  }
  assert.deepEqual(
    statuses.slice(0, 10),
    Array.from({ length: 10 }, () => 401),
  );
  assert.deepEqual(statuses.slice(10), [429, 429]);
  assert.equal((await tryJoin(server, token, request)).answer.status, 200);
});

test('without a certificate of ours there is nothing but joining', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-impostor-'));
  try {
    const impostor = await Authority.open(folder);
    const keys = await generateKeys();
    const forged = await impostor.issueAgent(keys.publicKey, agent.vmId);
    const forgedIdentity = { certificate: forged.certificate, key: await exportPrivateKey(keys.privateKey) };
    const routes = [
      ['GET', '/goal?after=0&wait=0'],
      ['PUT', '/status'],
      ['POST', '/renew'],
      ['POST', '/vault/getSecret?vault=kv1'],
    ] as const;
    for (const identity of [undefined, forgedIdentity]) {
      for (const [method, path] of routes) {
        const answer = await agent.as(identity).call(method, path, method === 'GET' ? undefined : '{}');
        assert.equal(answer.status, 401, `${method} ${path}`);
        assert.equal(answer.errorCode, 'KNK-SRV-0007');
      }
    }
    // And a client that trusts another authority does not talk to this server at all.
    await assert.rejects(
      httpCall({ url: `${server.url}/agent/v1/authority`, authority: impostor.certificate }),
      /self-signed certificate|unable to verify/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the certificate of the server itself admits nobody', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  const pem = await readFile(join(server.folder, 'authority', 'server.pem'), 'utf8');
  const [key = '', ...rest] = pem.split(/(?<=-----END PRIVATE KEY-----\n)/);
  const answer = await agent.as({ key, certificate: rest.join('') }).call('GET', '/goal?after=0&wait=0');
  assert.equal(answer.status, 401);
});

test('a renewed certificate works, and ends the old one with its first use', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  const { request, key } = await makeRequest();
  const renewed = await agent.call('POST', '/renew', { certificateSigningRequest: request });
  assert.equal(renewed.status, 200, renewed.text);
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 204, 'the new one was not shown yet');
  const newer = agent.as({ certificate: String(renewed.json?.certificate), key });
  assert.equal((await newer.call('GET', '/goal?after=0&wait=0')).status, 204);
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 401);
});

test('a deleted VM and an expired certificate are out at once', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const agent = await TestAgent.join(server, token);
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 204);
  server.clockOffset = 31 * 86_400_000;
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 401);
  server.clockOffset = 0;
  await server.admin.call('vm-delete', { resourceGroup: 'rg', name: 'vm1' });
  assert.equal((await agent.call('GET', '/goal?after=0&wait=0')).status, 401);
});

test('the authority can be fetched by who has only a token, and the token tells whether it is the right one', async () => {
  await using server = await TestServer.start();
  const { token } = await server.makeVm('vm1');
  const answer = await httpCall({ url: `${server.url}/agent/v1/authority`, authority: authorityOf(server) });
  const { authorityFingerprint } = await import('@kannuki/core');
  const { raw } = new X509Certificate(String(answer.json?.authority));
  assert.equal(token.split('.')[2], authorityFingerprint(raw));
});
