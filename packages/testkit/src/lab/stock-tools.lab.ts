import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EmbeddedVaults, releasePassphrase } from '@kannuki/keyvault';
import { encrypt } from '../power-cut/operations/encrypt.ts';
import { smallVm } from '../power-cut/small-vm.ts';
import { imageAfter } from '../torture/cut.ts';
import { discardRecording, promisedBefore, type Recording, recordOperation } from '../torture/recording.ts';
import type { StockToolsInput, StockToolsResult } from './scenarios/stock-tools.ts';
import { runInUml } from './uml.ts';

test('rule 3: a machine without Kannuki opens the disk from header and passphrase, at the end and in mid-conversion', async () => {
  const recording = await recordOperation(encrypt, 3, 'ext4');
  try {
    const marks = recording.record.entries.map(({ mark }) => mark);
    const middle = Math.floor((marks.indexOf('step:mapped') + marks.indexOf('step:converted')) / 2);
    for (const entry of [recording.record.entries.length, middle]) {
      const { damaged, mappedAs } = await openWithStockTools(recording, entry);
      assert.deepEqual(damaged, []);
      assert.equal(mappedAs, '/dev/mapper/rescued');
    }
  } finally {
    discardRecording(recording);
  }
});

async function openWithStockTools(recording: Recording, entry: number): Promise<StockToolsResult> {
  const folder = join(recording.folder, `cut-${entry}`);
  await imageAfter(recording, { entry, kind: 'in-order', loss: null, aim: 'spread' }, 1, folder);
  const keep = join(folder, 'keep');
  await writePassphrase(keep, join(folder, 'disk.img'));
  const promised = promisedBefore(recording, entry);
  assert.ok(promised.length > 20);
  const input: StockToolsInput = { vm: smallVm, promised };
  const scenario = join(import.meta.dirname, 'scenarios/stock-tools.ts');
  return runInUml<StockToolsResult>({ scenario, input, disks: [join(folder, 'disk.img')], keep });
}

/** What a person does with the vault: read the secret, unwrap it, put it into a file in memory. */
async function writePassphrase(keep: string, image: string): Promise<void> {
  await using vaults = await EmbeddedVaults.open({
    databaseFile: join(keep, 'vault/vault.db'),
    rootKeyFile: join(keep, 'vault/root.key'),
  });
  // The journal lies on the state partition of the image; its receipt names the secret.
  const text = readFileSync(image)
    .subarray(0, smallVm.stateMiB * 1024 * 1024)
    .toString('latin1');
  const secretId = /"secretId": "(https:[^"]+\/secrets\/[0-9a-f-]{36}\/[0-9a-f]{32})"/.exec(text)?.[1];
  const kekId = /"kekId": "(https:[^"]+\/keys\/kek\/[0-9a-f]{32})"/.exec(text)?.[1];
  assert.ok(secretId !== undefined && kekId !== undefined);
  using passphrase = await releasePassphrase(vaults.vault('lab'), {
    secretId,
    kekId,
    algorithm: 'RSA-OAEP',
    contentType: 'Wrapped BEK',
    keyFileName: 'LinuxPassPhraseFileName',
  });
  assert.equal(passphrase.length, 172);
  writeFileSync(join(keep, 'passphrase'), passphrase.bytes, { mode: 0o600 });
}
