import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { openDatabase } from './database.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';

const child = fileURLToPath(new URL('../testing/durability-child.ts', import.meta.url));

const clients = 4;
const kills = 3;
const writesBeforeKill = 80;

/** Lets the child write, kills it in the middle of it, and returns what it was told is stored. */
async function writeAndKill(folder: string): Promise<readonly string[]> {
  const writer: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [child, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const enough = new Promise<void>((resolve) => {
    writer.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1');
      if (output.split('\n').length > writesBeforeKill + 2) resolve();
    });
  });
  await Promise.race([enough, once(writer, 'exit').then(() => assert.fail('the writer ended by itself'))]);
  // Anywhere within the next commits, not just after one.
  await sleep(Math.random() * 20);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  return output.split('\n').slice(1, -1);
}

describe('the embedded vault under kill -9', () => {
  it(`has every acknowledged version and none half-written after ${kills} kills`, { timeout: 120_000 }, async () => {
    await using folder = await ScratchFolder.make();
    const acknowledged: string[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      acknowledged.push(...(await writeAndKill(folder.path)));
      await using vaults = await EmbeddedVaults.open({ ...folder.vaultFiles(), create: false });
      const vault = vaults.vault('kv-kill');
      const stored = new Map<string, string>();
      for (let client = 0; client < clients; client += 1) {
        for (const { id } of vault.secretVersions(`client-${client}`)) {
          const { value, contentType } = await vault.getSecret(id);
          using bytes = value;
          const sum = createHash('sha256').update(bytes.bytes).digest('hex');
          assert.equal(sum, contentType, `${id} is half-written`);
          stored.set(id, sum);
        }
      }
      for (const line of acknowledged) {
        const [id = '', sum] = line.split(' ');
        assert.equal(stored.get(id), sum, `${id} was acknowledged and is gone`);
      }
      // Each client may have one write in flight that was stored but not yet acknowledged.
      assert.ok(stored.size <= acknowledged.length + clients * (kill + 1));
    }
    assert.ok(acknowledged.length >= kills * writesBeforeKill);
  });

  it('commits with the settings that make a commit last', async () => {
    await using folder = await ScratchFolder.make();
    const database = await openDatabase(folder.file('vault.db'), 0);
    const pragma = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    assert.equal(pragma('journal_mode'), 'wal');
    assert.equal(pragma('synchronous'), 2);
    assert.equal(pragma('locking_mode'), 'exclusive');
    assert.equal(pragma('foreign_keys'), 1);
    database.close();
  });
});
