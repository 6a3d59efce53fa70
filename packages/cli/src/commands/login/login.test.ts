import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AzureServer } from '../../testing/azure-server.ts';
import { type ProgramRun, runInProcess, runKannuki } from '../../testing/run-kannuki.ts';

interface Setting {
  readonly server: AzureServer;
  readonly config: string;
  readonly run: (...args: readonly string[]) => Promise<ProgramRun>;
  readonly login: (...args: readonly string[]) => Promise<ProgramRun>;
}

async function withServer(work: (setting: Setting) => Promise<void>): Promise<void> {
  await using server = await AzureServer.start();
  const config = join(server.folder, 'config');
  const run: Setting['run'] = (...args) => runInProcess(args, { KANNUKI_CONFIG_DIR: config });
  const who = ['--service-principal', '-u', server.clientId, '--tenant', server.tenantId];
  const where = ['--server', server.url, '--ca', server.caFile];
  const login: Setting['login'] = (...args) => run('login', ...where, ...who, ...args);
  await writeFile(join(server.folder, 'secret'), `${server.clientSecret}\n`);
  await writeFile(join(server.folder, 'wrong'), 'canary-of-a-wrong-secret');
  await work({ server, config, run, login });
}

test('login prints as az, keeps a private file, and the next command needs no further token', () =>
  withServer(async ({ server, config, run, login }) => {
    const made = await login('--password-file', join(server.folder, 'secret'));
    assert.equal(made.exitCode, 0, made.stderr);
    const [account] = JSON.parse(made.stdout) as Record<string, unknown>[];
    assert.equal(account?.id, server.subscriptionId);
    assert.deepEqual(account?.user, { name: server.clientId, type: 'servicePrincipal' });
    assert.equal((await stat(config)).mode & 0o777, 0o700);
    assert.equal((await stat(join(config, 'login.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(config), ['login.json']);

    const shown = JSON.parse((await run('account', 'show')).stdout) as Record<string, unknown>;
    assert.equal(shown.objectId, server.objectId);
    assert.ok(!JSON.stringify(shown).includes(server.clientSecret));
    const tokens = server.tokens.size;
    server.routes = { [`GET /subscriptions/${server.subscriptionId}/resourceGroups`]: () => ({ body: { value: [] } }) };
    assert.equal((await run('group', 'list')).stdout, '[]\n');
    assert.equal(server.tokens.size, tokens);
    server.tokens.clear();
    assert.equal((await run('group', 'list')).exitCode, 0, 'with the secret of the login file');

    const elsewhere = await run('group', 'list', '--data', '/nonexistent');
    assert.equal(elsewhere.exitCode, 69, '--data means the socket, in spite of the login');
    assert.equal((await run('logout')).exitCode, 0);
    assert.deepEqual(await readdir(config), []);
    assert.equal((await run('account', 'show')).exitCode, 77);
    assert.match((await run('logout')).stderr, /Nobody was logged in/);
  }));

test('a secret from a file, from standard input, or on the command line; a wrong one is refused and never shown', () =>
  withServer(async ({ server, config, login }) => {
    const file = join(server.folder, 'secret');
    assert.equal((await login('-p', `@${file}`)).exitCode, 0);
    assert.equal((await login('-p', server.clientSecret)).exitCode, 0);
    const before = await readFile(join(config, 'login.json'), 'utf8');
    const refused = await login('--password-file', join(server.folder, 'wrong'), '-o', 'json', '--verbose');
    assert.equal(refused.exitCode, 77);
    assert.match(refused.stderr, /^kannuki: error KNK-AZC-0008: /);
    assert.ok(!`${refused.stdout}${refused.stderr}`.includes('canary'));
    assert.equal(await readFile(join(config, 'login.json'), 'utf8'), before, 'the old login stays');
    assert.equal((await login()).exitCode, 2);
    assert.equal((await login('-p', 'x', '--password-file', file)).exitCode, 2);
    assert.equal((await login('--password-file', '/nonexistent')).exitCode, 1);
    const bare = ['login', '-u', 'x', '-p', 'x', '--tenant', 'x'];
    assert.equal((await runInProcess([...bare, '--server', server.url])).exitCode, 2, 'no --ca');
    assert.equal((await runInProcess([...bare, '--server', 'http://x', '--ca', file])).exitCode, 2);
    assert.equal((await runInProcess([...bare, '--data', '/nonexistent'])).exitCode, 1);
    // As a child: a command without standard input must not wait for one.
    const empty = await runKannuki([
      'login',
      '--server',
      server.url,
      '--ca',
      server.caFile,
      ...bare.slice(1, 3),
      '-p',
      '@-',
      '--tenant',
      'x',
    ]);
    assert.equal(empty.exitCode, 77, empty.stderr);
  }));

test('server and authority come from admin.json of the data folder where they are not named', () =>
  withServer(async ({ server, run }) => {
    const admin = { server: server.url, caFile: server.caFile, vaultDnsSuffix: 'other.localhost' };
    await writeFile(join(server.folder, 'admin.json'), JSON.stringify(admin));
    const secret = join(server.folder, 'secret');
    const words = ['login', '--data', server.folder, '-u', server.clientId, '--tenant', server.tenantId];
    const made = await run(...words, '--password-file', secret);
    assert.equal(made.exitCode, 0, made.stderr);
    server.routes = { 'GET kv1/keys': ({ face }) => ({ body: { value: [{ kid: `https://x/keys/${face}` }] } }) };
    const listed = await run('keyvault', 'key', 'list', '--vault-name', 'kv1', '--query', '[].name', '-o', 'tsv');
    assert.equal(listed.stdout, 'https\n', 'the suffix that the server names');
  }));

test('a certificate in place of a secret, RSA and EC; only its path is kept', () =>
  withServer(async ({ server, config, run, login }) => {
    for (const kind of [['rsa:2048'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']]) {
      const file = join(server.folder, 'me.pem');
      const words = ['req', '-x509', '-newkey', ...kind, '-nodes', '-days', '2', '-subj', '/CN=me'];
      execFileSync('openssl', [...words, '-keyout', `${file}.key`, '-out', `${file}.crt`], { stdio: 'ignore' });
      const certificate = await readFile(`${file}.crt`, 'utf8');
      await writeFile(file, (await readFile(`${file}.key`, 'utf8')) + certificate);
      server.certificate = new X509Certificate(certificate);
      const made = await login('--certificate', file);
      assert.equal(made.exitCode, 0, made.stderr);
      assert.doesNotMatch(await readFile(join(config, 'login.json'), 'utf8'), /PRIVATE KEY|clientSecret/);
      server.tokens.clear();
      assert.equal((await run('group', 'list')).exitCode, 3, 'a new token with the certificate');
      assert.equal((await login('--certificate', `${file}.crt`)).exitCode, 1, 'no key in it');
    }
  }));

test('a login file that others can read, or that is damaged, is refused and can be removed', () =>
  withServer(async ({ config, run, server }) => {
    const file = join(config, 'login.json');
    await mkdir(config);
    for (const [content, mode] of [
      ['{"server":"https://x","clientSecret":"canary"', 0o600],
      ['{}', 0o600],
      [`{"server":"${server.url}"}`, 0o600],
      ['{}', 0o644],
    ] as const) {
      await writeFile(file, content);
      await chmod(file, mode);
      const refused = await run('group', 'list', '-o', 'json');
      assert.equal(refused.exitCode, 78, content);
      assert.ok(!`${refused.stdout}${refused.stderr}`.includes('canary'));
    }
    await writeFile(join(config, '.login.json.1.new'), 'left by a power cut');
    assert.equal((await run('logout')).exitCode, 0);
    assert.deepEqual(await readdir(config), []);
  }));
