import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AuditEntry, AuditLog, ChainKey, EmbeddedVaults, FileAnchorStore } from '@kannuki/keyvault';
import { initServer } from '@kannuki/server';
import { startServer } from '@kannuki/server/server';
import { RecordingHost } from '@kannuki/server/testing/recording-host';
import { runInProcess } from '../../testing/run-kannuki.ts';

const count = 12;

/** A data folder whose log has some records. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'kannuki-audit-'));
  const folder = join(parent, 'data');
  try {
    await initServer({ dataDirectory: folder, openHost: async () => new RecordingHost() });
    await using vaults = await EmbeddedVaults.open({
      databaseFile: join(folder, 'vault', 'vault.db'),
      rootKeyFile: join(folder, 'vault', 'root.key'),
      create: false,
    });
    {
      await using log = await AuditLog.open({
        folder: join(folder, 'audit'),
        chainKey: new ChainKey(vaults.derivedKey('kannuki audit 1')),
        anchors: new FileAnchorStore(join(folder, 'vault', 'audit.anchor')),
      });
      for (let index = 0; index < count; index += 1) {
        await log.append({
          time: Date.UTC(2026, 0, 1 + index),
          requestId: `r${index}`,
          operation: index % 2 === 0 ? 'SecretGet' : 'KeyUnwrap',
          vault: `kv${index % 3}`,
          object: 'secrets/name',
          objectId: 'vm:1',
          applicationId: null,
          address: '10.0.0.1',
          status: index === 4 ? 403 : 200,
          error: index === 4 ? 'Forbidden' : null,
        });
      }
    }
    await vaults.close();
    await work(folder);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

function run(line: string, folder: string) {
  return runInProcess(line.split(' '), { KANNUKI_DATA: folder });
}

test('audit list and verify, through the server and without it', () =>
  inFolder(async (folder) => {
    const numbers = async (words: string): Promise<number[]> => {
      const listed = await run(`audit list ${words}`, folder);
      assert.equal(listed.exitCode, 0, listed.stderr);
      return (JSON.parse(listed.stdout) as AuditEntry[]).map(({ sequence }) => sequence);
    };
    const server = await startServer({
      dataDirectory: folder,
      listen: '127.0.0.1:0',
      openHost: async () => new RecordingHost(),
    });
    const table = ['--limit 2', '--vault KV1 --operation keyunwrap', '--since 2026-01-03 --until 2026-01-04T00:00:01Z'];
    const expected = [
      [11, 12],
      [2, 8],
      [3, 4],
    ];
    try {
      assert.deepEqual(await Promise.all(table.map(numbers)), expected);
      const people = await run('audit list --caller vm:1 -o table --lang ja', folder);
      assert.match(
        people.stdout,
        /^時刻 .*\n-.*\n2026-01-01T00:00:00\.000Z +SecretGet +kv0 +secrets\/name +vm:1 +10\.0\.0\.1 +200/,
      );
      assert.match(people.stdout, /403 Forbidden/);
      const verified = await run('audit verify', folder);
      assert.equal(verified.exitCode, 0, verified.stdout);
      assert.partialDeepStrictEqual(JSON.parse(verified.stdout), {
        ok: true,
        records: count,
        keyed: true,
        findings: [],
      });
      assert.equal((await run('audit verify --offline', folder)).exitCode, 75);
    } finally {
      await server.close();
    }
    assert.deepEqual(await Promise.all(table.map((words) => numbers(`${words} --offline`))), expected);
    assert.equal((await run('audit verify', folder)).exitCode, 69);
    assert.equal((await run('audit verify --offline', folder)).exitCode, 0);
    for (const wrong of ['--since yesterday', '--limit 0', '--limit 10001', '--until 2026-99-99']) {
      assert.equal((await run(`audit list ${wrong}`, folder)).exitCode, 2, wrong);
    }
  }));

test('audit verify of a log that was changed: exit code 10 and each finding, in both languages', () =>
  inFolder(async (folder) => {
    const copy = `${folder}-copy`;
    await cp(join(folder, 'audit'), copy, { recursive: true });
    const file = join(folder, 'audit', 'audit-00000001.jsonl');
    const content = await readFile(file, 'utf8');
    await writeFile(file, content.replace('"KeyUnwrap"', '"KeyUnwrup"'));
    const found = await run('audit verify --offline', folder);
    assert.equal(found.exitCode, 10);
    const { ok, findings } = JSON.parse(found.stdout) as {
      ok: boolean;
      findings: { subject: string; message: string }[];
    };
    assert.equal(ok, false);
    assert.deepEqual(
      findings.map(({ subject }) => subject),
      ['audit-00000001.jsonl:2', 'audit-00000001.jsonl:3'],
    );
    assert.match(findings[0]?.message ?? '', /the MAC is wrong/);
    const japanese = await run('audit verify --offline -o table --lang ja', folder);
    assert.match(japanese.stdout, /MAC が一致しません/);
    assert.match(japanese.stderr, /2 件の問題/);

    assert.equal((await run(`audit verify --folder ${copy}`, folder)).exitCode, 0);
    await writeFile(join(copy, 'audit-00000001.jsonl'), content.split('\n').toSpliced(3, 1).join('\n'));
    assert.equal((await run(`audit verify --folder ${copy}`, folder)).exitCode, 10);
    assert.equal((await run(`audit verify --folder ${copy}/none`, folder)).exitCode, 69);
    assert.equal(JSON.parse((await run(`audit list --folder ${copy}`, folder)).stdout).length, count - 1);
  }));
