import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EmbeddedVaults } from '../embedded/embedded-vaults.ts';
import { findInMemory } from '../testing/process-memory.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import type { EscrowReceipt } from './receipt.ts';
import { releasePassphrase } from './release.ts';

const child = fileURLToPath(new URL('../testing/escrow-child.ts', import.meta.url));

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** Runs the key handling in a child and says where its passphrase, or a piece of it, still stands in its memory. */
async function leftInMemory(kek: 'with-kek' | 'without-kek', ending: 'forget' | 'keep'): Promise<readonly string[]> {
  await using folder = await ScratchFolder.make();
  const running: Child = spawn(process.execPath, [child, folder.path, kek, ending], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface({ input: running.stdout }), 'line')) as [string];
    const receipt = JSON.parse(line) as EscrowReceipt;
    await using vaults = await EmbeddedVaults.open({ ...folder.vaultFiles(), create: false });
    using passphrase = await releasePassphrase(vaults.vault('kv-memory'), receipt);
    assert.equal(passphrase.length, 172);
    assert.ok(running.pid !== undefined);
    return findInMemory(running.pid, piecesOf(passphrase.bytes));
  } finally {
    running.stdin.end();
    if (running.exitCode === null) await once(running, 'exit');
  }
}

/** Pieces of the passphrase, as its bytes, as a two-byte string of V8 has them, and of the random bytes behind it. */
function piecesOf(passphrase: Uint8Array): readonly Uint8Array[] {
  const random = Buffer.from(Buffer.from(passphrase).toString('latin1'), 'base64');
  const pieces: Uint8Array[] = [];
  for (const whole of [passphrase, random]) {
    for (let at = 0; at + 24 <= whole.length; at += 24) {
      const piece = whole.subarray(at, at + 24);
      pieces.push(piece, Buffer.from(Buffer.from(piece).toString('latin1'), 'utf16le'));
    }
  }
  return pieces;
}

describe('memory of a process that escrowed and released a passphrase', () => {
  it('holds no piece of it once it is disposed (with KEK)', async () => {
    assert.deepEqual(await leftInMemory('with-kek', 'forget'), []);
  });

  it('holds no piece of it once it is disposed (without KEK)', async () => {
    assert.deepEqual(await leftInMemory('without-kek', 'forget'), []);
  });

  it('would be found to hold it if it were kept', async () => {
    assert.notDeepEqual(await leftInMemory('with-kek', 'keep'), []);
  });
});
