import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInProcess } from '../../testing/run-kannuki.ts';

const entry = new URL('../../main.ts', import.meta.url).pathname;
const environmentOf = (folder: string): Record<string, string> => ({
  PATH: '/usr/bin:/bin',
  KANNUKI_DATA: join(folder, 'data'),
  KANNUKI_CONFIG: join(folder, 'kannuki.toml'),
});

/** A passphrase on standard input, as a script gives it. */
async function withInput(
  folder: string,
  words: readonly string[],
  input: string,
): Promise<{ code: unknown; stderr: string }> {
  const child = spawn(process.execPath, [entry, ...words], {
    env: environmentOf(folder),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code, stderr };
}

test('server start says that it is sealed; unseal, seal and rekey work from the command line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-seal-'));
  await writeFile(join(folder, 'kannuki.toml'), '[vault]\nrootKey = "passphrase"\n');
  const passphraseFile = join(folder, 'passphrase');
  await writeFile(passphraseFile, 'first long passphrase\n', { mode: 0o600 });
  const words = ['server', 'start', '--listen', '127.0.0.1:0'];
  const server = spawn(process.execPath, [entry, ...words], {
    env: environmentOf(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const said = once(server.stderr, 'data');
    const [ready] = (await once(server.stdout, 'data')) as [Buffer];
    assert.match(ready.toString(), /^ready https:/);
    assert.match(String((await said)[0]), /sealed: run "kannuki server unseal"/);
    const kannuki = (line: string) => runInProcess(line.split(' '), environmentOf(folder));

    assert.equal((await kannuki('keyvault create -n kv1 -g rg1')).exitCode, 75);
    assert.equal((await withInput(folder, ['server', 'unseal'], 'first long passphrase\n')).code, 0);
    assert.equal((await kannuki('keyvault create -n kv1 -g rg1')).exitCode, 0);
    assert.equal((await kannuki('server seal --query sealed')).stdout, 'true\n');
    // Where a vault is can be said without its keys.
    assert.equal((await kannuki('keyvault show -n kv1')).exitCode, 0);
    const sealed = await kannuki('keyvault key list --vault-name kv1');
    assert.equal(sealed.exitCode, 75, sealed.stderr);
    const wrong = await withInput(folder, ['server', 'unseal'], 'second long passphrase\n');
    assert.equal(wrong.code, 77);
    assert.match(wrong.stderr, /KNK-KVT-0041/);
    assert.doesNotMatch(wrong.stderr, /second long/);
    assert.equal((await kannuki(`server unseal --passphrase-file ${passphraseFile}`)).exitCode, 0);
    const rekeyed = await kannuki('server rekey');
    assert.equal(rekeyed.exitCode, 0, rekeyed.stderr);
    assert.equal((await kannuki('server seal')).exitCode, 0);
    // Under a plain file nobody is asked.
    assert.equal((await kannuki('server unseal --query sealed')).stdout, 'false\n');
    assert.equal((await kannuki('keyvault show -n kv1')).exitCode, 0);
  } finally {
    server.kill('SIGKILL');
    await once(server, 'close');
    await rm(folder, { recursive: true, force: true });
  }
});
