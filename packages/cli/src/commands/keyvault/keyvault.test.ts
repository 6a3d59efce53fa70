import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestServer } from '@kannuki/server/testing/test-server';
import { type ProgramRun, runInProcess, runKannuki } from '../../testing/run-kannuki.ts';

/** The real server with a login, and command lines against it. Words with spaces stand in quotes. */
class Client implements AsyncDisposable {
  readonly server: TestServer;
  readonly admin: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;

  private constructor(server: TestServer, admin: Readonly<Record<string, string>>) {
    this.server = server;
    this.admin = admin;
    this.environment = { KANNUKI_DATA: server.folder, KANNUKI_CONFIG_DIR: join(server.folder, 'config') };
  }

  static async start(config: Readonly<Record<string, unknown>> = {}): Promise<Client> {
    const server = await TestServer.start(config);
    const admin = JSON.parse(await readFile(join(server.folder, 'admin.json'), 'utf8')) as Record<string, string>;
    return new Client(server, admin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const failures = this.server.failures;
    await this.server[Symbol.asyncDispose]();
    assert.deepEqual(failures, []);
  }

  run(line: string): Promise<ProgramRun> {
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
    return runInProcess(words, this.environment);
  }

  async login(clientId = this.admin.clientId ?? '', secret = this.admin.clientSecret ?? ''): Promise<void> {
    const file = await this.file('secret', secret);
    const words = `login -u ${clientId} --password-file ${file} --tenant ${this.admin.tenantId}`;
    await this.ok(words);
  }

  /** What a command prints as JSON; it must end well. */
  async ok(line: string): Promise<Record<string, never> & { [name: string]: unknown }> {
    const { exitCode, stdout, stderr } = await this.run(line);
    assert.equal(exitCode, 0, `${line}: ${stderr}`);
    return stdout === '' ? {} : JSON.parse(stdout);
  }

  async exits(code: number, line: string, pattern = /./): Promise<void> {
    const { exitCode, stderr } = await this.run(line);
    assert.equal(exitCode, code, `${line}: ${stderr}`);
    assert.match(stderr, pattern, line);
  }

  async file(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.server.folder, `test-${name}`);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }
}

const kv = '--vault-name kv1';

test('over the network: group, vault and its life; whoever makes a vault may use it', async () => {
  await using client = await Client.start();
  await client.login();
  await client.exits(3, 'keyvault create -n kv1 -g rg1', /ResourceGroupNotFound/);
  await client.ok('group create -n rg1 -l local --tags team=a');
  assert.deepEqual(await client.ok('group show -n rg1 --query tags'), { team: 'a' });
  assert.equal((await client.run('group exists -n rg2')).stdout, 'false\n');
  const made = await client.ok('keyvault create -n kv1 -g rg1 --enabled-for-disk-encryption --retention-days 7');
  const properties = made.properties as unknown as Record<string, unknown>;
  assert.equal(made.resourceGroup, 'rg1');
  assert.equal(properties.enabledForDiskEncryption, true);
  assert.equal(properties.softDeleteRetentionInDays, 7);
  const [policy] = properties.accessPolicies as { objectId: string; permissions: { keys: string[] } }[];
  assert.deepEqual([policy?.objectId, policy?.permissions.keys], [client.admin.objectId, ['all']]);
  await client.exits(10, 'keyvault create -n kv1 -g rg1', /VaultAlreadyExists/);
  await client.exits(2, 'keyvault create -n kv1 -g rg1 --retention-days many');

  const updated = await client.ok('keyvault update -n kv1 --enabled-for-disk-encryption false --tags a=1 b');
  assert.deepEqual(updated.tags, { a: '1', b: '' });
  assert.equal((updated.properties as unknown as Record<string, unknown>).enabledForDiskEncryption, false);
  assert.deepEqual(
    (updated.properties as unknown as Record<string, unknown>).accessPolicies,
    properties.accessPolicies,
    'the rest stays',
  );
  await client.ok(`keyvault secret set ${kv} -n s1 --value one`);
  await client.ok('keyvault delete -n kv1');
  await client.exits(3, 'keyvault show -n kv1');
  await client.exits(3, `keyvault secret show ${kv} -n s1`);
  await client.exits(10, 'keyvault create -n kv1 -g rg1', /deleted/);
  assert.equal((await client.run('keyvault list-deleted --query [].name -o tsv')).stdout, 'kv1\n');
  assert.equal((await client.ok('keyvault show-deleted -n kv1 -l local')).name, 'kv1');
  await client.ok('keyvault recover -n kv1');
  assert.equal((await client.ok(`keyvault secret show ${kv} -n s1`)).value, 'one');
  await client.ok('keyvault delete -n kv1 -g rg1');
  await client.exits(2, 'keyvault purge -n kv1', /--yes/);
  await client.ok('keyvault purge -n kv1 --yes');
  assert.deepEqual(await client.ok('keyvault list-deleted'), []);
  await client.ok('group delete -n rg1 --yes');
  await client.exits(3, 'group show -n rg1');
  await client.exits(3, 'group delete -n rg1 --yes');
});

test('secrets: bytes in, the same bytes out; versions, attributes, soft delete, backup', async () => {
  await using client = await Client.start();
  await client.login();
  await client.ok('group create -n rg1 -l local');
  await client.ok('keyvault create -n kv1 -g rg1');
  const secret = `keyvault secret`;
  const set = await client.ok(`${secret} set ${kv} -n s1 --value 'pä"ss' --content-type text/plain --tags a=b`);
  assert.ok(!('value' in set) && set.name === 's1' && set.contentType === 'text/plain');
  assert.deepEqual(
    Object.keys(await client.ok(`${secret} show ${kv} -n s1`)),
    'attributes contentType id kid managed name tags value'.split(' '),
  );
  const values: [string, Uint8Array, string][] = [
    ['text', Buffer.from(' ü\n"\\\u0000\t'), ''],
    ['base64', randomBytes(1000), '--encoding base64'],
    ['hex', randomBytes(100), '--encoding hex'],
  ];
  for (const [name, bytes, encoding] of values) {
    const out = await client.file('out', '');
    await client.ok(`${secret} set ${kv} -n ${name} --file ${await client.file('in', bytes)} ${encoding}`);
    await client.ok(`${secret} download ${kv} -n ${name} --file ${out}`);
    assert.deepEqual(await readFile(out), Buffer.from(bytes), name);
    assert.equal((await stat(out)).mode & 0o777, 0o600);
  }
  await client.exits(1, `${secret} set ${kv} -n s2 --file ${await client.file('in', Uint8Array.of(0xff))}`, /UTF-8/);
  await client.exits(1, `${secret} set ${kv} -n s2 --file ${await client.file('in', 'x'.repeat(25_601))}`, /longer/);
  await client.exits(2, `${secret} set ${kv} -n s2`, /--value or --file/);
  await client.exits(2, `${secret} show -n s1`, /--vault-name/);
  await client.exits(2, `${secret} show ${kv} -n s/1`);
  await client.exits(2, `${secret} show --id https://kv1.vault.localhost/keys/s1`);

  const first = String(set.id);
  const input = await runKannuki(
    `${secret} set ${kv} -n piped --file -`.split(' '),
    client.environment,
    values[0]?.[1],
  );
  assert.equal(input.exitCode, 0, input.stderr);
  const table = await client.run(`${secret} show ${kv} -n piped -o table`);
  assert.match(table.stdout, /^Name +Enabled +Expires +Value +Id\n[- ]+\npiped +true +/);
  await client.ok(`${secret} set ${kv} -n s1 --value two --expires 2030-01-31T12:00:00Z`);
  assert.equal((await client.ok(`${secret} show --id ${first}`)).value, 'pä"ss');
  const versions = await client.ok(`${secret} list-versions ${kv} -n s1`);
  assert.equal((versions as unknown as unknown[]).length, 2);
  const shown = await client.ok(`${secret} show ${kv} -n s1`);
  assert.equal((shown.attributes as unknown as Record<string, unknown>).expires, '2030-01-31T12:00:00+00:00');
  await client.ok(`${secret} set-attributes ${kv} -n s1 --enabled false`);
  await client.exits(77, `${secret} show ${kv} -n s1`);
  await client.ok(`${secret} set-attributes ${kv} -n s1 --enabled true --tags x=y`);

  const backup = join(client.server.folder, 'test-backup');
  await client.ok(`${secret} backup ${kv} -n s1 --file ${backup}`);
  assert.ok(!(await readFile(backup)).includes('two'));
  await client.ok(`${secret} delete ${kv} -n s1`);
  await client.exits(3, `${secret} show ${kv} -n s1`, /SecretNotFound/);
  await client.exits(10, `${secret} set ${kv} -n s1 --value three`, /Conflict|ObjectIsDeleted/);
  assert.equal((await client.ok(`${secret} show-deleted ${kv} -n s1`)).name, 's1');
  await client.ok(`${secret} recover ${kv} -n s1`);
  await client.exits(10, `${secret} restore ${kv} --file ${backup}`);
  await client.ok(`${secret} delete ${kv} -n s1`);
  await client.exits(77, `${secret} purge ${kv} -n s1 --yes`, /purge permission/);
  await client.ok(`keyvault set-policy -n kv1 --object-id ${client.admin.objectId} --secret-permissions all purge`);
  await client.ok(`${secret} purge ${kv} -n s1 --yes`);
  assert.deepEqual(await client.ok(`${secret} list-deleted ${kv}`), []);
  await client.ok(`${secret} restore ${kv} --file ${backup}`);
  assert.equal((await client.ok(`${secret} show ${kv} -n s1`)).value, 'two');
  const listed = await client.run(`${secret} list ${kv} -o table`);
  assert.match(listed.stdout, /^Name +Enabled +Expires +Id\n/);
});

test('keys: made, imported, rotated, used; what one side encrypts the other decrypts', async () => {
  await using client = await Client.start();
  await client.login();
  await client.ok('group create -n rg1 -l local');
  await client.ok('keyvault create -n kv1 -g rg1');
  const key = 'keyvault key';
  const made = await client.ok(`${key} create ${kv} -n k1 --size 2048 --ops encrypt decrypt sign verify --tags a=b`);
  const { kid, keySize, keyOps } = made.key as unknown as { kid: string; keySize: number; keyOps: string[] };
  assert.deepEqual([keySize, keyOps.toSorted()], [2048, ['decrypt', 'encrypt', 'sign', 'verify']]);
  assert.deepEqual(await client.ok(`${key} show --id ${kid}`), made);
  const plain = randomBytes(32);
  const small = await client.file('small', plain);
  const out = await client.file('plain', '');
  for (const algorithm of ['RSA-OAEP', 'RSA-OAEP-256']) {
    const { result } = await client.ok(`${key} encrypt ${kv} -n k1 -a ${algorithm} --file ${small}`);
    await client.ok(`${key} decrypt ${kv} -n k1 -a ${algorithm} --value ${String(result)} --to-file ${out}`);
    assert.deepEqual(await readFile(out), plain, algorithm);
    const back = await client.ok(`${key} decrypt ${kv} -n k1 -a ${algorithm} --value ${String(result)}`);
    assert.equal(back.result, plain.toString('base64'));
  }
  await client.exits(2, `${key} decrypt ${kv} -n k1 -a RSA-OAEP --value !canary!`, /--value has the value "…"/);

  const digest = createHash('sha256').update('x').digest('base64');
  const { signature } = await client.ok(`${key} sign ${kv} -n k1 -a PS256 --digest ${digest}`);
  const verify = `${key} verify ${kv} -n k1 -a PS256 --signature ${String(signature)} --digest`;
  assert.equal((await client.ok(`${verify} ${digest}`)).isValid, true);
  const other = createHash('sha256').update('y').digest('base64');
  assert.equal((await client.ok(`${verify} ${other}`)).isValid, false);

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass' });
  const words = `${key} import ${kv} -n mine --pem-file ${await client.file('pem', pem)}`;
  await client.exits(1, words, /passphrase/);
  await client.ok(`${words} --pem-password-file ${await client.file('pass', 'pass\n')}`);
  const wrapped = publicEncrypt({ key: rsa.publicKey, oaepHash: 'sha256' }, plain).toString('base64');
  const opened = await client.ok(`${key} decrypt ${kv} -n mine -a RSA-OAEP-256 --value ${wrapped}`);
  assert.equal(opened.result, plain.toString('base64'));
  const curves = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512', secp256k1: 'ES256K' };
  for (const [namedCurve, algorithm] of Object.entries(curves)) {
    const ec = generateKeyPairSync('ec', { namedCurve });
    const file = await client.file('ec', ec.privateKey.export({ type: 'sec1', format: 'pem' }));
    const imported = await client.ok(`${key} import ${kv} -n ${algorithm} --pem-file ${file}`);
    const { x } = imported.key as unknown as { x: string };
    assert.equal(x, ec.publicKey.export({ format: 'jwk' }).x, namedCurve);
  }

  const rotated = await client.ok(`${key} rotate ${kv} -n k1`);
  assert.notEqual((rotated.key as unknown as { kid: string }).kid, kid);
  const versions = await client.ok(`${key} list-versions ${kv} -n k1 --query [].kid`);
  assert.equal((versions as unknown as string[]).length, 2);
  const rule = { lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P30D' }], expiresIn: 'P1Y' };
  const file = await client.file('policy', JSON.stringify(rule));
  const policy = await client.ok(`${key} rotation-policy update ${kv} -n k1 --value ${file}`);
  assert.equal(policy.expiresIn, 'P1Y');
  assert.deepEqual(policy.lifetimeActions, [{ action: 'Rotate', timeAfterCreate: 'P30D', timeBeforeExpiry: null }]);
  assert.deepEqual(await client.ok(`${key} rotation-policy show ${kv} -n k1`), policy);
  await client.ok(`${key} set-attributes ${kv} -n k1 --enabled false --ops sign`);
  await client.exits(77, `${key} sign ${kv} -n k1 -a PS256 --digest ${digest}`);
  await client.exits(2, `${key} create ${kv} -n h --kty RSA-HSM`, /premium/);
  await client.exits(2, `${key} create ${kv} -n k2 --size 1024`);
  const ec = await client.ok(`${key} create ${kv} -n e1 --curve P-384`);
  assert.equal((ec.key as unknown as { crv: string }).crv, 'P-384');
  await client.ok(`${key} delete ${kv} -n e1`);
  assert.equal((await client.run(`${key} list-deleted ${kv} --query [].name -o tsv`)).stdout, 'e1\n');
  await client.ok(`${key} recover ${kv} -n e1`);
});

test('who may do what: policies, roles, network rules; another principal is refused with 77', async () => {
  await using client = await Client.start();
  await client.login();
  await client.ok('group create -n rg1 -l local');
  await client.ok('keyvault create -n kv1 -g rg1');
  await client.ok('keyvault create -n kv2 -g rg1 --enable-rbac-authorization');
  await client.ok(`keyvault secret set ${kv} -n s1 --value one`);
  const { id: kv2 } = await client.ok('keyvault show -n kv2');
  const made = await client.ok('ad sp create -n reader -o json');
  const [appId, secret, objectId] = [made.appId, made.password, made.objectId].map(String);

  await client.ok(`keyvault set-policy -n kv1 --spn ${appId} --secret-permissions get list`);
  const after = await client.ok(`keyvault set-policy -n kv1 --object-id ${objectId} --key-permissions 'get, list'`);
  const policies = (after.properties as unknown as { accessPolicies: { objectId: string; permissions: unknown }[] })
    .accessPolicies;
  assert.equal(policies.length, 2);
  const mine = policies.find((one) => one.objectId === objectId)?.permissions as Record<string, string[]>;
  assert.deepEqual(
    [mine.keys, mine.secrets],
    [
      ['get', 'list'],
      ['get', 'list'],
    ],
  );

  const user = `'Key Vault Secrets Officer'`;
  const assignment = `role assignment create --role ${user} --assignee ${appId} --scope ${String(kv2)}`;
  const given = await client.ok(assignment);
  assert.equal(given.roleDefinitionName, 'Key Vault Secrets Officer');
  assert.equal(given.principalId, objectId);
  const above = `role assignment create --role Reader --assignee ${objectId} --scope /subscriptions/${client.admin.subscriptionId}`;
  await client.ok(above);
  const listed = await client.ok(`role assignment list --assignee ${appId} --scope ${String(kv2)}`);
  assert.deepEqual(
    (listed as unknown as { id: string }[]).map(({ id }) => id),
    [given.id],
  );
  await client.exits(3, `role assignment create --role Nobody --assignee ${appId} --scope ${String(kv2)}`);
  await client.exits(2, `role assignment create --role Reader --assignee ${appId} --scope /a/../b`);
  await client.exits(2, 'role assignment delete', /--assignee/);

  await client.login(appId, secret);
  assert.equal((await client.ok(`keyvault secret show ${kv} -n s1`)).value, 'one');
  await client.exits(77, `keyvault secret set ${kv} -n s1 --value two`, /Forbidden/);
  await client.ok('keyvault secret set --vault-name kv2 -n s2 --value two');
  await client.exits(77, 'keyvault key create --vault-name kv2 -n k1');
  await client.exits(77, 'group create -n rg2 -l local');

  await client.login();
  await client.ok(`keyvault delete-policy -n kv1 --spn ${appId}`);
  await client.exits(3, `keyvault delete-policy -n kv1 --spn ${appId}`);
  await client.ok(`role assignment delete --assignee ${appId} --scope ${String(kv2)}`);
  const left = await client.ok(`role assignment list --assignee ${appId}`);
  assert.deepEqual(
    (left as unknown as { roleDefinitionName: string }[]).map((one) => one.roleDefinitionName),
    ['Reader'],
    'what was given above stays',
  );
  await client.login(appId, secret);
  await client.exits(77, `keyvault secret show ${kv} -n s1`);
  await client.exits(77, 'keyvault secret show --vault-name kv2 -n s2');

  await client.login();
  await client.ok('keyvault network-rule add -n kv1 --ip-address 10.1.0.0/16 192.0.2.7');
  await client.ok('keyvault update -n kv1 --default-action Deny --bypass None');
  await client.exits(77, `keyvault secret show ${kv} -n s1`);
  await client.ok('keyvault network-rule remove -n kv1 --ip-address 10.1.0.0/16');
  const rules = await client.ok('keyvault network-rule list -n kv1');
  assert.deepEqual([rules.defaultAction, rules.ipRules], ['Deny', [{ value: '192.0.2.7' }]]);
  await client.exits(2, 'keyvault network-rule add -n kv1');
});

test('on the server’s own machine: no login, its own names and region, and a missing group is made', async () => {
  await using client = await Client.start({ server: { location: 'tokyo', vaultDnsSuffix: 'vaults.example' } });
  const { exitCode, stdout, stderr } = await client.run('keyvault create -n kv1 -g rg1');
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /^There was no resource group rg1: it was made in tokyo\.\n$/);
  const made = JSON.parse(stdout) as { location: string; properties: { accessPolicies: unknown[] } };
  assert.equal(made.location, 'tokyo');
  assert.deepEqual(made.properties.accessPolicies, []);
  assert.equal((await client.run('keyvault create -n kv2 -g rg1')).stderr, '');
  await client.ok(`keyvault secret set ${kv} -n s1 --value one`);
  assert.equal((await client.ok(`keyvault secret show ${kv} -n s1`)).value, 'one');
  const { appId, objectId } = await client.ok('ad sp create -n app');
  const scope = JSON.parse((await client.run('keyvault show -n kv1')).stdout) as { id: string };
  const given = await client.ok(`role assignment create --role Reader --assignee ${String(appId)} --scope ${scope.id}`);
  assert.equal(given.principalId, objectId, 'found without a directory');
  await client.ok(`role assignment delete --ids ${String(given.id)}`);
  await client.exits(3, `role assignment delete --assignee ${String(appId)} --scope ${scope.id}`);
  await client.exits(2, 'group create -n 日本 -l tokyo', /InvalidResourceName/);
});
