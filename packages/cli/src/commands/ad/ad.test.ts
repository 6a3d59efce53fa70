import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestServer } from '@kannuki/server/testing/test-server';
import { runInProcess } from '../../testing/run-kannuki.ts';

interface Created {
  readonly appId: string;
  readonly objectId: string;
  readonly displayName: string;
  readonly password: string;
  readonly tenant: string;
}

test('service principals over the socket: create, list, reset, certificate, delete', async () => {
  await using server = await TestServer.start();
  const kannuki = (...words: string[]) => runInProcess(words, { KANNUKI_DATA: server.folder });
  const admin = JSON.parse(await readFile(join(server.folder, 'admin.json'), 'utf8')) as Record<string, string>;

  const made = JSON.parse((await kannuki('ad', 'sp', 'create', '-n', 'backup job')).stdout) as Created;
  assert.deepEqual(Object.keys(made).sort(), ['appId', 'displayName', 'objectId', 'password', 'tenant']);
  assert.equal(made.tenant, admin.tenantId);
  const listed = await kannuki('ad', 'sp', 'list');
  assert.deepEqual(
    (JSON.parse(listed.stdout) as { appId: string; id: string }[]).map(({ appId, id }) => [appId, id]),
    [
      [admin.clientId, admin.objectId],
      [made.appId, made.objectId],
    ],
  );
  assert.ok(!listed.stdout.includes(made.password.slice(0, 8)));
  const again = await kannuki('ad', 'sp', 'reset-credentials', '--id', made.objectId);
  const renewed = JSON.parse(again.stdout) as Created;
  assert.deepEqual({ ...renewed, password: '' }, { ...made, password: '' });
  assert.notEqual(renewed.password, made.password);

  // Any certificate will do: the server's authority is one.
  const pem = join(server.folder, 'client.pem');
  const certificate = await readFile(String(admin.caFile), 'utf8');
  await writeFile(pem, certificate);
  const added = await kannuki('ad', 'sp', 'reset-credentials', '--id', made.appId, '--cert', pem);
  const { thumbprint } = JSON.parse(added.stdout) as { thumbprint: string };
  assert.equal(thumbprint, new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase());

  const table: readonly [string[], number, string][] = [
    [['ad', 'sp', 'reset-credentials', '--id', made.appId, '--cert', '/nonexistent'], 2, 'KNK-IDT-0003'],
    [['ad', 'sp', 'reset-credentials', '--id', 'nobody'], 3, 'KNK-IDT-0001'],
    [['ad', 'sp', 'delete', '--id', String(admin.clientId), '--yes'], 10, 'KNK-IDT-0002'],
    [['ad', 'sp', 'create', '-n', 'two\nlines'], 2, 'KNK-SRV-0026'],
    [['ad', 'sp', 'delete', '--id', made.appId, '--yes'], 0, ''],
    [['ad', 'sp', 'delete', '--id', made.appId, '--yes'], 3, 'KNK-IDT-0001'],
  ];
  for (const [words, exitCode, code] of table) {
    const run = await kannuki(...words);
    assert.equal(run.exitCode, exitCode, `${words.join(' ')}: ${run.stderr}`);
    assert.match(run.stderr, new RegExp(code));
  }
  const left = await kannuki('ad', 'sp', 'list', '--query', 'length(@)');
  assert.equal(left.stdout.trim(), '1');
});

test('admin.json: the secret stays over restarts, and a file that was lost or laid open gets a new one', async () => {
  await using server = await TestServer.start();
  const file = join(server.folder, 'admin.json');
  const read = async () => JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  const restart = async () => {
    await server.stop();
    await server.start();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    return read();
  };
  const first = await read();
  assert.match(String(first.clientSecret), /^[0-9a-f]{8}~/);
  assert.deepEqual(await restart(), first);
  await chmod(file, 0o644);
  const second = await restart();
  assert.notEqual(second.clientSecret, first.clientSecret);
  await rm(file);
  const third = await restart();
  assert.notEqual(third.clientSecret, second.clientSecret);
  assert.deepEqual({ ...third, clientSecret: '' }, { ...first, clientSecret: '' });

  const init = await runInProcess(['server', 'init', '--data', join(server.folder, 'other')]);
  assert.equal(init.exitCode, 0, init.stderr);
  assert.ok(!init.stdout.includes('clientSecret'), 'standard output ends up in logs');
});
