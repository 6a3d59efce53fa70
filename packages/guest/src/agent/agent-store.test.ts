import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Goal, hasCode, run } from '@kannuki/core';
import fc from 'fast-check';
import { AgentStore } from './agent-store.ts';
import { makeKeyAndRequest } from './certificate-request.ts';
import { parseGoal } from './goal-shape.ts';
import { forgetJoinToken, readProvision } from './provision.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-store-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function selfSigned(folder: string, key: Uint8Array): Promise<string> {
  const path = join(folder, 'key-of-the-test.pem');
  await writeFile(path, key, { mode: 0o600 });
  const { stdout } = await run('openssl', ['req', '-x509', '-key', path, '-subj', '/CN=test', '-days', '1']);
  await rm(path);
  return stdout;
}

test('a membership is kept in private files and read back as it was', () =>
  inFolder(async (folder) => {
    const store = new AgentStore(join(folder, 'agent'));
    assert.equal(await store.membership(), undefined);
    assert.equal(await store.identity(), undefined);
    await assert.rejects(store.requireMember(), (error) => hasCode(error, 'KNK-AGT-0001'));

    using privateKey = (await makeKeyAndRequest()).privateKey;
    const certificate = await selfSigned(folder, privateKey.bytes);
    await store.join({ serverUrl: 'https://s:1', vmId: 'vm' }, { privateKey, certificate, authority: certificate });
    const { membership, identity } = await store.requireMember();
    using pem = identity.pem;
    assert.deepEqual(membership, { serverUrl: 'https://s:1', vmId: 'vm' });
    assert.equal(identity.authority.trim(), certificate.trim());
    assert.deepEqual(pem.bytes.subarray(0, privateKey.length), Buffer.from(privateKey.bytes));
    assert.equal((await stat(store.folder)).mode & 0o777, 0o700);
    for (const name of await readdir(store.folder)) {
      assert.equal((await stat(join(store.folder, name))).mode & 0o777, 0o600, name);
    }
  }));

test('damaged files are refused by name, and never quoted', () =>
  inFolder(async (folder) => {
    const store = new AgentStore(folder);
    const damaged = (error: unknown): boolean => hasCode(error, 'KNK-AGT-0007') && !error.message.includes('CANARY');
    for (const text of ['', '{"CANARY"', '{}', '[]', '{"version":2,"serverUrl":"CANARY","vmId":"x"}']) {
      await writeFile(join(folder, 'server.json'), text);
      await assert.rejects(store.membership(), damaged, text);
    }
    using privateKey = (await makeKeyAndRequest()).privateKey;
    const key = Buffer.from(privateKey.bytes).toString('latin1');
    const certificate = await selfSigned(folder, privateKey.bytes);
    for (const text of [
      '',
      'CANARY',
      key,
      key + certificate,
      `${key}${certificate.replace('MII', 'CANARY')}${certificate}`,
    ]) {
      await writeFile(join(folder, 'identity.pem'), text);
      await assert.rejects(store.identity(), damaged);
    }
  }));

test('the last goal is kept; what is no goal counts as none', () =>
  inFolder(async (folder) => {
    const store = new AgentStore(folder);
    assert.equal(await store.goal(), undefined);
    const goal: Goal = {
      generation: 3,
      volumes: [
        {
          target: '/data0',
          wanted: 'Encrypted',
          vaultName: 'kv1',
          vaultUri: 'https://kv1.vault.localhost/',
          kekId: null,
          stopServices: true,
        },
      ],
      keyVolume: { fileSystemUuid: '1384-3AA3' },
    };
    await store.saveGoal(goal);
    assert.deepEqual(await store.goal(), goal);
    await writeFile(join(folder, 'goal.json'), '{"generation":"3"}');
    assert.equal(await store.goal(), undefined);
  }));

test('parseGoal takes any text without failing, and only goals as goals', () => {
  const near = fc.record(
    {
      generation: fc.oneof(fc.nat(), fc.double(), fc.string()),
      volumes: fc.array(
        fc.record(
          {
            target: fc.oneof(fc.constant('/data0'), fc.string()),
            wanted: fc.constantFrom('Encrypted', 'Plain'),
            vaultName: fc.constantFrom('kv1', '../x', 1),
            vaultUri: fc.string(),
            kekId: fc.option(fc.string()),
            stopServices: fc.oneof(fc.boolean(), fc.string()),
          },
          { requiredKeys: [] },
        ),
      ),
      keyVolume: fc.option(fc.record({ fileSystemUuid: fc.constantFrom('1384-3AA3', '../../etc', 1) })),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        near.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const goal = parseGoal(text);
        if (goal === undefined) return;
        assert.ok(Number.isSafeInteger(goal.generation));
        for (const volume of goal.volumes) assert.ok(volume.target.startsWith('/') && volume.wanted === 'Encrypted');
      },
    ),
    { numRuns: 1000 },
  );
});

test('what the host gives is read from its folder, and the token is taken out of it', () =>
  inFolder(async (folder) => {
    assert.equal(await readProvision(folder), undefined);
    await writeFile(join(folder, 'server-url'), 'https://10.0.2.2:8443\n');
    assert.equal(await readProvision(folder), undefined, 'without authority there is nobody to trust');
    await writeFile(join(folder, 'authority.pem'), 'PEM');
    await writeFile(join(folder, 'join-token'), 'knt1.x.y\n');
    assert.deepEqual(await readProvision(folder), {
      serverUrl: 'https://10.0.2.2:8443',
      authority: 'PEM',
      joinToken: 'knt1.x.y',
    });
    await forgetJoinToken(folder);
    await forgetJoinToken(folder);
    assert.equal((await readProvision(folder))?.joinToken, undefined);
    assert.equal(await readFile(join(folder, 'authority.pem'), 'utf8'), 'PEM');
  }));
