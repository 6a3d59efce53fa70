import assert from 'node:assert/strict';
import { generateKeyPairSync, type JsonWebKey, randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type ProgramRun, runInProcess } from '@kannuki/cli/testing/run-kannuki';
import { parseJoinToken, SecretBytes } from '@kannuki/core';
import { ScratchFolder } from '@kannuki/keyvault/testing/scratch-vaults';
import { makeSoftToken, softHsmModule, softTokenPin } from '@kannuki/keyvault/testing/soft-token';
import { AzureClient } from '@kannuki/server/testing/azure-client';
import { authorityOf, TestAgent, tryJoin } from '@kannuki/server/testing/test-agent';
import { TestServer } from '@kannuki/server/testing/test-server';
import { Canaries } from './canaries.ts';

test('canaries are found in every form, wherever they begin', () => {
  const canaries = new Canaries();
  const text = canaries.text('one');
  for (const before of ['', 'a', 'ab', 'abc']) {
    const whole = Buffer.from(`${before}${text}?`);
    for (const encoding of ['utf8', 'hex', 'base64', 'base64url'] as const) {
      assert.deepEqual(canaries.in(`x${whole.toString(encoding)}x`), ['one'], `${before} ${encoding}`);
    }
  }
  assert.deepEqual(canaries.in(text.slice(1)), []);
  assert.deepEqual(canaries.in(text, ['one']), []);
});

/** What was answered or printed, and what for. */
type Said = readonly [what: string, text: string];

class Subject implements AsyncDisposable {
  readonly canaries = new Canaries();
  readonly said: Said[] = [];
  readonly #stack: AsyncDisposableStack;
  readonly folder: ScratchFolder;
  readonly server: TestServer;
  readonly passphrase: string;

  private constructor(parts: { stack: AsyncDisposableStack; folder: ScratchFolder; server: TestServer }) {
    this.#stack = parts.stack;
    this.folder = parts.folder;
    this.server = parts.server;
    this.passphrase = this.canaries.text('passphrase');
    this.canaries.plant('PIN', softTokenPin);
  }

  static async start(): Promise<Subject> {
    const stack = new AsyncDisposableStack();
    const folder = stack.use(await ScratchFolder.make());
    const { tokenLabel } = await makeSoftToken(folder);
    await writeFile(folder.file('pin'), softTokenPin, { mode: 0o600 });
    const server = await TestServer.start({
      vault: { rootKey: 'passphrase' },
      pkcs11: { module: softHsmModule, tokenLabel, pinFile: folder.file('pin') },
      images: [{ urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built by the test' }],
    });
    return new Subject({ stack, folder, server: stack.use(server) });
  }

  hear(what: string, answer: { readonly status: number; readonly text: string; readonly headers: object }): void {
    assert.ok(answer.status >= 400, `${what} was to be refused: ${answer.status}`);
    this.said.push([what, `${answer.text}\n${JSON.stringify(answer.headers)}`]);
  }

  async hearFailure(what: string, work: Promise<unknown>): Promise<void> {
    const error: unknown = await work.then(
      () => assert.fail(`${what} was to fail`),
      (reason: unknown) => reason,
    );
    this.said.push([what, inspect(error, { depth: 20 })]);
  }

  /** A command line, in both languages, as verbose as it gets. */
  async kannuki(...words: string[]): Promise<ProgramRun> {
    const environment = { KANNUKI_DATA: this.server.folder, KANNUKI_CONFIG_DIR: this.folder.file('login') };
    const run = await runInProcess([...words, '--verbose', '-o', 'json'], environment);
    assert.notEqual(run.exitCode, 0, words.slice(0, 3).join(' '));
    this.said.push([words.slice(0, 3).join(' '), `${run.stdout}\n${run.stderr}`]);
    return run;
  }

  async file(name: string, content: string, mode = 0o600): Promise<string> {
    await writeFile(this.folder.file(name), content, { mode });
    return this.folder.file(name);
  }

  /** Nothing of all that has been said, told to the operator, or written, holds any of them. */
  async assertNothingOut(): Promise<void> {
    const told = this.server.failures.map((failure): Said => ['the log', inspect(failure, { depth: 20 })]);
    for (const [what, text] of [...this.said, ...told])
      assert.deepEqual(this.canaries.in(text), [], `${what}: ${text}`);
    for (const entry of await readdir(this.server.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const except = entry.name === 'admin.json' ? ["the administrator's secret"] : [];
      assert.deepEqual(this.canaries.in(await readFile(path), except), [], path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const place = { resourceGroup: 'rg', location: null, enabledForDiskEncryption: true } as const;

test('no refusal, no log and no file holds a secret: every face, with whatever is wrong', {
  timeout: 120_000,
}, async () => {
  await using subject = await Subject.start();
  const { server, canaries } = subject;
  const { admin } = server;
  const bytes = (text: string): SecretBytes => SecretBytes.take(Buffer.from(text));

  // The administrator's socket, and passphrases.
  const wrongPassphrase = canaries.text('wrong passphrase');
  await admin.callWithSecret('server-unseal', {}, bytes(subject.passphrase));
  await admin.call('server-seal', {});
  await subject.hearFailure('unseal', admin.callWithSecret('server-unseal', {}, bytes(wrongPassphrase)));
  await subject.kannuki('server', 'unseal', '--passphrase-file', await subject.file('wrong', wrongPassphrase));
  await subject.kannuki('server', 'unseal', '--passphrase-file', await subject.file('open', wrongPassphrase, 0o644));
  const azure = await AzureClient.administrator(server);
  canaries.plant("the administrator's secret", azure.admin.clientSecret);
  const socket = async (what: string, path: string, type: string, body: string): Promise<void> => {
    const answer = await azure.send('POST', path, { socket: true, headers: { 'content-type': type }, body });
    subject.said.push([what, answer.text]);
    assert.match(answer.text, /"error"/, what);
  };
  const json = 'application/json';
  const inJson = JSON.stringify({ passphrase: wrongPassphrase });
  await socket('a passphrase in JSON', '/admin/v1/server-unseal', json, inJson);
  await socket('a long passphrase', '/admin/v1/server-unseal', 'application/octet-stream', wrongPassphrase.repeat(50));
  await socket('no operation', '/admin/v1/nothing', json, inJson);
  await socket('a member too many', '/admin/v1/server-seal', json, inJson);
  await socket('half of JSON', '/admin/v1/keyvault-list', json, inJson.slice(0, -2));
  await socket('a wrong place', '/admin/v1/keyvault-show', json, JSON.stringify({ name: [wrongPassphrase] }));

  // The data plane.
  const value = canaries.text('value');
  const refused = canaries.text('refused value');
  const stranger = await azure.principal('stranger');
  canaries.plant('client secret', stranger.credentials.clientSecret);
  const audience = `https://${azure.admin.vaultDnsSuffix}`;
  const tokens = [await azure.token(audience), await stranger.token(audience), await azure.token(server.url)];
  for (const [index, token] of tokens.entries()) canaries.plant(`token ${index}`, token.split('.')[2] ?? '');
  const [good = '', bad = '', ofArm = ''] = tokens;
  const signature = canaries.text('signature');
  const tampered = `${good.split('.').slice(0, 2).join('.')}.${Buffer.from(signature).toString('base64url')}`;
  const host = `kv1.${azure.admin.vaultDnsSuffix}`;
  const call = (token: string, method: string, path: string, body: unknown, at = host) =>
    azure.send(method, `${path}${path.includes('?') ? '' : '?api-version=7.4'}`, {
      servername: host.split(':')[0] ?? '',
      headers: { host: at, authorization: `Bearer ${token}`, 'content-type': json },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  subject.hear('sealed', await call(good, 'PUT', '/secrets/s', { value: refused }));
  await admin.callWithSecret('server-unseal', {}, bytes(subject.passphrase));
  await admin.call('keyvault-create', { ...place, name: 'kv1', sku: 'premium' });
  const policy = {
    tenantId: azure.admin.tenantId,
    objectId: azure.admin.objectId,
    permissions: { keys: ['all', 'purge'], secrets: ['all', 'purge'] },
  };
  const policies = '/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1/accessPolicies/add';
  assert.equal((await azure.arm('PUT', policies, { properties: { accessPolicies: [policy] } })).status, 200);
  for (const name of ['s', 'gone']) assert.equal((await call(good, 'PUT', `/secrets/${name}`, { value })).status, 200);
  assert.equal((await call(good, 'DELETE', '/secrets/gone', '')).status, 200);
  assert.equal((await call(good, 'PATCH', '/secrets/s', { attributes: { enabled: false } })).status, 200);
  const jwks = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  ];
  for (const jwk of jwks) {
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      const text = jwk[part];
      if (text !== undefined) canaries.plant(`${jwk.kty} ${part}`, Buffer.from(text, 'base64url'));
    }
    const imported = await call(good, 'PUT', `/keys/${jwk.kty}`, { key: jwk });
    assert.equal(imported.status, 200, imported.text);
    assert.deepEqual(canaries.in(imported.text), []);
  }
  assert.equal((await call(good, 'POST', '/keys/hsm/create', { kty: 'RSA-HSM' })).status, 200);
  const [rsa, ec] = jwks as [JsonWebKey, JsonWebKey];
  const encoded = Buffer.from(refused).toString('base64url');
  const rows: readonly (readonly [string, string, unknown, string?, string?])[] = [
    ['PUT', '/secrets/s', { value: refused }, bad],
    ['PUT', '/secrets/s', { value: refused }, tampered],
    ['PUT', '/secrets/s', { value: refused }, 'x.y.z'],
    ['PUT', '/secrets/s', { value: refused }, ofArm],
    ['PUT', '/secrets/s', { value: refused }, good, `nowhere.${azure.admin.vaultDnsSuffix}`],
    ['PUT', '/secrets/s', { value: refused }, good, 'evil.example'],
    ['GET', '/secrets/s', '', good],
    ['GET', '/secrets/s', '', bad],
    ['PUT', '/secrets/gone', { value: refused }],
    ['PUT', '/secrets/no_name', { value: refused }],
    ['PUT', '/secrets/s?version=1', { value: refused }],
    ['PUT', `/secrets/s?api-version=${refused}`, { value: refused }],
    ['PUT', '/secrets/s', { value: refused.repeat(1000) }],
    ['PUT', '/secrets/s', { value: refused.repeat(5000) }],
    ['PUT', '/secrets/s', `{"value":"${refused}"`],
    ['PUT', '/secrets/s', `{"value":"${refused}\\ud800"}`],
    ['PUT', '/secrets/s', `${refused}`],
    ['PUT', '/secrets/s', { value: [refused] }],
    ['PUT', '/secrets/s', { value: { value: refused } }],
    ['PUT', '/secrets/s', { secret: refused }],
    ['PUT', '/secrets/s', { value: refused, contentType: refused.repeat(10) }],
    ['PUT', '/secrets/s', { value: refused, tags: { [refused]: 5 } }],
    ['PUT', '/secrets/s', { value: refused, attributes: { exp: refused } }],
    ['POST', '/secrets/restore', { value: encoded }],
    ['POST', '/keys/restore', { value: encoded }],
    ['PUT', '/keys/k', { key: rsa }, bad],
    ['PUT', '/keys/k', { key: rsa }, tampered],
    ['PUT', '/keys/k', { key: { ...rsa, p: rsa.q } }],
    ['PUT', '/keys/k', { key: { ...rsa, qi: undefined } }],
    ['PUT', '/keys/k', { key: { ...rsa, d: 5 } }],
    ['PUT', '/keys/k', { key: { ...rsa, d: `${rsa.d}=` } }],
    ['PUT', '/keys/k', { key: { ...rsa, kty: 'oct', k: rsa.d } }],
    ['PUT', '/keys/k', { key: { ...ec, crv: 'P-384' } }],
    ['PUT', '/keys/k', { key: { ...ec, x: ec.y } }],
    ['PUT', '/keys/k', { key: { ...ec, d: [ec.d] } }],
    ['PUT', '/keys/k', { key: rsa, Hsm: true }],
    ['PUT', '/keys/k', { key: JSON.stringify(rsa) }],
    ['PUT', '/keys/k', JSON.stringify({ key: rsa }).slice(0, -1)],
    ['PUT', '/keys/k', JSON.stringify({ key: ec }).slice(0, -9)],
    ['POST', '/keys/RSA/unwrapkey', { alg: 'RSA-OAEP', value: encoded }],
    ['POST', '/keys/RSA/wrapkey', { alg: 'RSA-OAEP', value: Buffer.from(refused.repeat(5)).toString('base64url') }],
    ['POST', '/keys/RSA/sign', { alg: 'RS256', value: encoded }],
    ['POST', '/keys/hsm/decrypt', { alg: 'RSA-OAEP', value: encoded }],
    ['POST', '/keys/hsm/wrapkey', { alg: 'RSA-OAEP-256', value: encoded }],
    ['POST', '/keys/hsm/backup', ''],
  ];
  for (const [method, path, body, token = good, at = host] of rows) {
    const what = `${method} ${path.slice(0, 40)} ${JSON.stringify(body).slice(0, 80)}`;
    subject.hear(what, await call(token, method, path, body, at));
  }

  // The management plane, and who one is.
  const arm = '/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv2';
  const bodies = [`{"a":"${refused}"`, { properties: refused }, { location: [refused] }, { tags: { a: [refused] } }];
  const { tenantId, clientId } = azure.admin;
  for (const body of [...bodies, { location: 'local', properties: { tenantId, sku: { name: refused } } }]) {
    const answer = await azure.send('PUT', `${azure.subscription}${arm}?api-version=2023-07-01`, {
      headers: { authorization: `Bearer ${ofArm}`, 'content-type': json },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    subject.hear(`ARM ${JSON.stringify(body)}`, answer);
  }
  const wrongSecret = canaries.text('wrong secret');
  const form = { grant_type: 'client_credentials', client_id: clientId, scope: `${audience}/.default` };
  const secret = stranger.credentials.clientSecret;
  const forms: readonly (readonly [Record<string, string>, Record<string, string>?])[] = [
    [{ ...form, client_secret: wrongSecret }],
    [{ ...form, client_secret: secret }],
    [{ ...form, client_id: randomUUID(), client_secret: secret }],
    [{ ...form, client_secret: secret, grant_type: secret }],
    [{ ...form, client_secret: secret, scope: secret }],
    [{ ...form, client_secret: secret, client_assertion: good }],
    [
      {
        ...form,
        client_assertion: good,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    ],
    [{ ...form }, { authorization: `Basic ${Buffer.from(`${clientId}:${wrongSecret}`).toString('base64')}` }],
    [{ ...form, client_secret: secret }, { 'content-type': json }],
    [{ ...form, client_secret: secret.repeat(500) }],
  ];
  for (const tenant of [tenantId, 'common']) {
    for (const [fields, headers = {}] of forms) {
      const answer = await azure.send('POST', `/${tenant}/oauth2/v2.0/token`, {
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(fields).toString(),
      });
      subject.hear(`token ${Object.keys(fields).join()}`, answer);
    }
  }
  for (const path of [`${azure.subscription}?api-version=2021-04-01`, '/v1.0/me']) {
    subject.hear(path, await azure.send('GET', path, { headers: { authorization: `Bearer ${tampered}` } }));
  }

  // Agents.
  const { token: joinToken } = await server.makeVm('vm1');
  canaries.plant('join token', parseJoinToken(joinToken)?.secret ?? '');
  const wrongToken = canaries.text('wrong join token');
  subject.hear('join', (await tryJoin(server, wrongToken, 'x')).answer);
  subject.hear('join', (await tryJoin(server, joinToken, refused)).answer);
  const agent = await TestAgent.join(server, joinToken);
  assert.ok(authorityOf(server).includes('CERTIFICATE'));
  await admin.call('vm-encryption-enable', {
    resourceGroup: 'rg',
    name: 'vm1',
    vaultName: 'kv1',
    kek: null,
    kekVaultName: null,
    volumeType: 'DATA',
    force: true,
    stopServices: false,
  });
  const escrowed = canaries.text('escrowed passphrase');
  const secretOf = (text: string, more: object = {}): object => ({
    name: 'volume',
    contentType: null,
    tags: {},
    value: Buffer.from(text).toString('base64'),
    ...more,
  });
  assert.equal((await agent.vault('setSecret', secretOf(escrowed))).status, 200);
  for (const more of [{ tags: 5 }, { name: 's' }, { contentType: 'BEK' }, { value: refused }, { value: [refused] }]) {
    subject.hear(`agent ${JSON.stringify(more)}`, await agent.vault('setSecret', secretOf(refused, more)));
  }
  subject.hear('agent, half of JSON', await agent.call('POST', '/vault/setSecret?vault=kv1', `{"value":"${refused}`));
  subject.hear('agent, no vault', await agent.vault('setSecret', secretOf(refused), 'nowhere'));
  subject.hear('no agent', await agent.as(undefined).vault('setSecret', secretOf(refused)));
  subject.hear('agent, status', await agent.call('PUT', '/status', { passphrase: refused }));

  // The command line.
  const login = ['login', '--service-principal', '-u', clientId, '-t', tenantId];
  await subject.kannuki(...login, '-p', wrongSecret);
  await subject.kannuki(...login, `--pasword=${secret}`);
  await subject.kannuki(...login, '-p', 'the', secret);
  await subject.kannuki(...login, '--password-file', await subject.file('secret', secret, 0o644));
  const set = ['keyvault', 'secret', 'set', '--vault-name', 'kv1', '-n'];
  await subject.kannuki(...set, 'gone', '--value', refused);
  await subject.kannuki(...set, 'no_name', '--value', refused);
  await subject.kannuki(...set, 's', `--valeu=${refused}`);
  await subject.kannuki(...set, 's', '--value', 'not', refused);
  await subject.kannuki(...set, 's', '--value', refused, '--file', await subject.file('both', refused));
  await subject.kannuki(...set, 's', '--file', await subject.file('long', refused.repeat(1000)));
  const pem = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  canaries.plant('a PEM', pem.toString().split('\n')[3] ?? '');
  const importing = ['keyvault', 'key', 'import', '--vault-name', 'kv1', '-n', 'k', '--pem-file'];
  await subject.kannuki(...importing, await subject.file('small.pem', pem.toString()));
  await subject.kannuki(...importing, await subject.file('cut.pem', pem.toString().slice(0, -80)));
  await subject.kannuki(
    'keyvault',
    'key',
    'decrypt',
    '--vault-name',
    'kv1',
    '-n',
    'RSA',
    '-a',
    'RSA-OAEP',
    '--value',
    encoded,
  );

  await subject.assertNothingOut();
  await server.stop();
  await subject.assertNothingOut();
});
