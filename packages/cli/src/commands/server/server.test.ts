import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInProcess, runKannuki } from '../../testing/run-kannuki.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'kannuki-start-'));
  try {
    await work(join(parent, 'data'));
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

interface Started extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** The real program, until it says that it serves. */
async function start(folder: string, ...args: readonly string[]): Promise<Started> {
  const entry = new URL('../../main.ts', import.meta.url).pathname;
  const words = ['server', 'start', '--data', folder, ...args];
  const child = spawn(process.execPath, [entry, ...words], {
    env: { PATH: '/usr/bin:/bin', KANNUKI_CONFIG: '/dev/null' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => {
    errors += text.toString();
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString()));
    void ended.then((how) => reject(new Error(`ended with ${how}: ${errors}`)));
  });
  assert.match(line, /^ready https:\/\/127\.0\.0\.1:\d+\n$/);
  return {
    url: line.slice('ready '.length).trim(),
    process: child,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

test('server init sets a folder up, and does it once', () =>
  inFolder(async (folder) => {
    const first = await runInProcess(['server', 'init', '--data', folder]);
    const second = await runInProcess(['server', 'init', '--data', folder]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.equal(second.stdout, first.stdout);
    const admin = JSON.parse(first.stdout) as { tenantId: string; caFile: string };
    assert.match(admin.tenantId, /^[0-9a-f-]{36}$/);
    assert.equal((await stat(admin.caFile)).isFile(), true);
  }));

test('server start: one line when it serves, a clean end on SIGTERM, the same address the next time', () =>
  inFolder(async (folder) => {
    const environment = { KANNUKI_DATA: folder };
    let url: string;
    {
      await using server = await start(folder, '--listen', '127.0.0.1:0');
      url = server.url;
      const listed = await runInProcess(['vm', 'list'], environment);
      assert.deepEqual(JSON.parse(listed.stdout), []);
      const second = await runKannuki(['server', 'start', '--data', folder, '--listen', '127.0.0.1:0']);
      assert.equal(second.exitCode, 75, second.stderr);
      server.process.kill('SIGTERM');
      assert.equal(await server.ended, 0);
    }
    assert.equal((await runInProcess(['vm', 'list'], environment)).exitCode, 69);
    await using server = await start(folder);
    assert.equal(server.url, url);
  }));

test('what was acknowledged is there after kill -9', () =>
  inFolder(async (folder) => {
    const environment = { KANNUKI_DATA: folder };
    const kannuki = (line: string) => runInProcess(line.split(' '), environment);
    const made: string[] = [];
    {
      await using server = await start(folder, '--listen', '127.0.0.1:0');
      const until = performance.now() + 1500;
      for (let count = 0; performance.now() < until; count += 1) {
        const vault = await kannuki(`keyvault create -n kv${count}a -g rg1`);
        assert.equal(vault.exitCode, 0, vault.stderr);
        made.push(`kv${count}a`);
      }
      server.process.kill('SIGKILL');
      assert.equal(await server.ended, 'SIGKILL');
    }
    await using server = await start(folder);
    assert.ok(server.url !== '');
    const listed = await kannuki('keyvault list --query [].name');
    assert.deepEqual((JSON.parse(listed.stdout) as string[]).sort(), made.sort());
    const key = await kannuki(`keyvault key create --vault-name ${made.at(-1)} -n kek`);
    assert.equal(key.exitCode, 0, key.stderr);
  }));

test('addresses and folders that cannot be used: bad configuration, with the reason', () =>
  inFolder(async (folder) => {
    const wrong = await runKannuki(['server', 'start', '--data', folder, '--listen', 'nowhere']);
    assert.equal(wrong.exitCode, 78);
    assert.match(wrong.stderr, /^kannuki: error KNK-SRV-0012: cannot listen on nowhere: it is not HOST:PORT; /);
    const taken = await runKannuki(['server', 'start', '--data', '/dev/null/x']);
    assert.equal(taken.exitCode, 78);
  }));
