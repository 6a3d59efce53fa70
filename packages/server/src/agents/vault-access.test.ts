import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AzureAnswer, AzureClient } from '../testing/azure-client.ts';
import type { HttpAnswer } from '../testing/http-call.ts';
import { TestAgent } from '../testing/test-agent.ts';
import { TestServer } from '../testing/test-server.ts';

const passphrase = Buffer.from('x'.repeat(172)).toString('base64');

async function twoVms(server: TestServer): Promise<{ a: TestAgent; b: TestAgent; keks: Record<string, string> }> {
  const agents: TestAgent[] = [];
  for (const name of ['a', 'b']) agents.push(await TestAgent.join(server, (await server.makeVm(name)).token));
  const [a, b] = agents;
  assert.ok(a !== undefined && b !== undefined);
  for (const name of ['kv1', 'kv2']) {
    await server.admin.call('keyvault-create', {
      name,
      resourceGroup: 'rg',
      location: null,
      sku: 'standard',
      enabledForDiskEncryption: true,
    });
  }
  const keks: Record<string, string> = {};
  for (const name of ['kek-a', 'kek-b', 'other']) {
    const made = await server.admin.call('keyvault-key-create', { vaultName: 'kv1', name, kind: 'RSA', bits: 2048 });
    keks[name] = (made as { key: { kid: string } }).key.kid;
  }
  for (const [name, kek] of [
    ['a', 'kek-a'],
    ['b', 'kek-b'],
  ] as const) {
    await server.admin.call('vm-encryption-enable', {
      resourceGroup: 'rg',
      name,
      vaultName: 'kv1',
      kek,
      kekVaultName: null,
      volumeType: 'DATA',
      force: true,
      stopServices: false,
    });
  }
  return { a, b, keks };
}

const config = {
  images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
};

function secretBody(name: string, tags: Record<string, string> = {}, contentType: string | null = null): object {
  return { name, contentType, tags, value: passphrase };
}

test('a VM cannot read, overwrite or find the secret of another', async () => {
  await using server = await TestServer.start(config);
  const { a, b } = await twoVms(server);
  const stored = await b.vault('setSecret', secretBody('of-b'));
  assert.equal(stored.status, 200, stored.text);
  const secretId = String(stored.json?.id);
  assert.equal((await b.vault('getSecret', { secretId })).json?.value, passphrase);

  const unversioned = secretId.replace(/\/[0-9a-f]{32}$/, '');
  const forbidden = [
    await a.vault('getSecret', { secretId }),
    await a.vault('getSecret', { secretId: unversioned }),
    await a.vault('getSecret', { secretId: secretId.toUpperCase() }),
    await a.vault('setSecret', secretBody('of-b')),
    await a.vault('setSecret', secretBody('OF-B')),
  ];
  for (const answer of forbidden) {
    assert.equal(answer.status, 403, answer.text);
    assert.equal(answer.errorCode, 'KNK-KVT-0002');
    assert.equal(answer.text.includes(passphrase), false);
  }
  // What is there and what is not cannot be told apart.
  const shape = (answer: HttpAnswer): string =>
    answer.text.replaceAll(/of-b|no-such/g, 'NAME').replaceAll(/[0-9a-f]{32}/g, 'V');
  const absent = await a.vault('getSecret', { secretId: secretId.replace('of-b', 'no-such') });
  assert.equal(shape(absent), shape(await a.vault('getSecret', { secretId })));
});

test('a VM cannot use a KEK that no goal of it names', async () => {
  await using server = await TestServer.start(config);
  const { a, keks } = await twoVms(server);
  const algorithm = 'RSA-OAEP-256';
  const wrapped = await a.vault('wrapKey', { keyId: keks['kek-a'], algorithm, value: passphrase });
  assert.equal(wrapped.status, 200, wrapped.text);
  const opened = await a.vault('unwrapKey', { keyId: keks['kek-a'], algorithm, value: wrapped.json?.value });
  assert.equal(opened.json?.value, passphrase);
  for (const kek of ['kek-b', 'other']) {
    for (const call of ['wrapKey', 'unwrapKey'] as const) {
      const answer = await a.vault(call, { keyId: keks[kek], algorithm, value: wrapped.json?.value });
      assert.equal(answer.status, 403);
      assert.equal(answer.errorCode, 'KNK-KVT-0002');
    }
    assert.equal((await a.vault('keyInfo', { keyId: keks[kek] })).status, 403);
  }
});

test('a VM cannot have the server unwrap with a foreign KEK at its next start', async () => {
  await using server = await TestServer.start(config);
  const { a, keks } = await twoVms(server);
  const tags = {
    DiskEncryptionKeyFileName: 'LinuxPassPhraseFileName',
    DiskEncryptionKeyEncryptionAlgorithm: 'RSA-OAEP',
    DiskEncryptionKeyEncryptionKeyURL: keks['kek-b'] ?? '',
  };
  const answer = await a.vault('setSecret', secretBody('trick', tags, 'Wrapped BEK'));
  assert.equal(answer.status, 403, answer.text);
});

test('a VM cannot use a vault that no goal of it names, nor tell whether it is there', async () => {
  await using server = await TestServer.start(config);
  const { a } = await twoVms(server);
  const inOther = await a.vault('setSecret', secretBody('mine'), 'kv2');
  const inNone = await a.vault('setSecret', secretBody('mine'), 'kv9');
  assert.equal(inOther.status, 403);
  assert.equal(inOther.text.replaceAll('kv2', 'kv9'), inNone.text);
});

test('names that only the owner of the vault has used stay his', async () => {
  await using server = await TestServer.start(config);
  const { a, b } = await twoVms(server);
  const answers = await Promise.all([a, b].map((agent) => agent.vault('setSecret', secretBody('wanted-by-both'))));
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((left, right) => left - right),
    [200, 403],
  );
});

test('a VM that was first to use a name neither reads nor replaces what others put there', async () => {
  await using server = await TestServer.start(config);
  const { a } = await twoVms(server);
  const azure = await AzureClient.administrator(server);
  const ofPerson = async (method: string, path: string, body?: object): Promise<AzureAnswer> => {
    const headers = { host: `kv1.${azure.admin.vaultDnsSuffix}`, 'content-type': 'application/json' };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await azure.send(method, `${path}?api-version=7.4`, { socket: true, headers, body: text });
    assert.ok(answer.status < 300, answer.text);
    return answer;
  };
  const own = String((await a.vault('setSecret', secretBody('db-password'))).json?.id);
  const { json } = await ofPerson('PUT', '/secrets/db-password', { value: 'canary-of-a-person' });
  const unversioned = own.replace(/\/[0-9a-f]{32}$/, '');
  for (const secretId of [unversioned, `${unversioned}/${String(json.id).split('/').at(-1)}`]) {
    const answer = await a.vault('getSecret', { secretId });
    assert.deepEqual([answer.status, answer.errorCode], [403, 'KNK-KVT-0002'], answer.text);
  }
  assert.equal((await a.vault('getSecret', { secretId: own })).json?.value, passphrase);

  assert.equal((await a.vault('setSecret', secretBody('db-password'))).status, 403);

  // Nor does it get a name that a deleted secret holds: it may be recovered.
  const made = await ofPerson('PUT', '/secrets/of-a-person', { value: 'canary-of-a-person' });
  await ofPerson('DELETE', '/secrets/of-a-person');
  assert.equal((await a.vault('setSecret', secretBody('of-a-person'))).status, 403);
  await ofPerson('POST', '/deletedsecrets/of-a-person/recover');
  const secretId = `https://kv1.vault.localhost/secrets/of-a-person/${String(made.json.id).split('/').at(-1)}`;
  assert.equal((await a.vault('getSecret', { secretId })).status, 403);
  assert.deepEqual(server.failures, []);
});

test('a VM disables what it stored itself and nothing else; the next start has the keys of its other volumes', async () => {
  await using server = await TestServer.start(config);
  const { a, b } = await twoVms(server);
  const store = async (name: string, file: string): Promise<string> => {
    const tags = { DiskEncryptionKeyFileName: file, DiskEncryptionKeyEncryptionAlgorithm: 'RSA-OAEP' };
    const answer = await a.vault('setSecret', secretBody(name, tags, 'BEK'));
    assert.equal(answer.status, 200, answer.text);
    return String(answer.json?.id);
  };
  const first = await store('volume-1', 'LinuxPassPhraseFileName');
  const again = await store('volume-1', 'LinuxPassPhraseFileName');
  const other = await store('volume-2', 'LinuxPassPhraseFileName_1');

  for (const answer of [
    await b.vault('disableSecret', { name: 'volume-1' }),
    await a.vault('disableSecret', { name: 'no-such' }),
    await a.vault('disableSecret', { name: '../volume-1' }),
  ]) {
    assert.deepEqual([answer.status, answer.errorCode], [403, 'KNK-KVT-0002'], answer.text);
  }
  assert.equal((await a.vault('getSecret', { secretId: first })).status, 200);

  for (const _ of [1, 2]) assert.equal((await a.vault('disableSecret', { name: 'Volume-1' })).status, 200);
  for (const secretId of [first, again]) {
    const answer = await a.vault('getSecret', { secretId });
    assert.deepEqual([answer.status, answer.errorCode], [403, 'KNK-KVT-0004'], answer.text);
  }
  assert.equal((await a.vault('getSecret', { secretId: other })).status, 200);

  const vm = { resourceGroup: 'rg', name: 'a' };
  await server.admin.call('vm-stop', vm);
  await server.admin.call('vm-start', vm);
  assert.notEqual(server.host.starts.at(-1)?.options.keyVolume, undefined);
  assert.deepEqual(server.failures, []);
});

test('a passphrase that could not be released at boot is not taken', async () => {
  await using server = await TestServer.start(config);
  const { a } = await twoVms(server);
  const good = {
    DiskEncryptionKeyFileName: 'LinuxPassPhraseFileName',
    DiskEncryptionKeyEncryptionAlgorithm: 'RSA-OAEP',
  };
  const bad: Record<string, string>[] = [
    {},
    { ...good, DiskEncryptionKeyFileName: '../../etc/shadow' },
    { ...good, DiskEncryptionKeyEncryptionAlgorithm: 'RSA1_5' },
  ];
  for (const tags of bad) {
    const answer = await a.vault('setSecret', secretBody('passphrase', tags, 'BEK'));
    assert.equal(answer.status, 400, answer.text);
  }
  assert.equal((await a.vault('setSecret', secretBody('passphrase', good, 'BEK'))).status, 200);
});

test('a body that is too long is refused while it is read', async () => {
  await using server = await TestServer.start(config);
  const { a } = await twoVms(server);
  const answer = await a.call('POST', '/vault/setSecret?vault=kv1', `{"name":"x","value":"${'A'.repeat(80_000)}"}`);
  assert.equal(answer.status, 413);
  assert.equal(answer.errorCode, 'KNK-SRV-0024');
  assert.deepEqual(server.failures, []);
});
