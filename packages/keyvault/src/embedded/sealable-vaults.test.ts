import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { TokenRootKeys } from '../pkcs11/token-root-key.ts';
import { findInMemory } from '../testing/process-memory.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { makeSoftToken } from '../testing/soft-token.ts';
import { EmbeddedVaults } from './embedded-vaults.ts';
import { SealableVaults } from './sealable-vaults.ts';

const child = fileURLToPath(new URL('../testing/seal-child.ts', import.meta.url));
const sealed = { code: 'KNK-KVT-0027' };

function secret(text: string): SecretBytes {
  return SecretBytes.take(Buffer.from(text));
}

/** Where in the memory of a process that used its vaults a half of the root key still stands. */
async function rootKeyInMemory(ending: 'seal' | 'keep'): Promise<readonly string[]> {
  await using folder = await ScratchFolder.make();
  const { databaseFile, rootKeyFile } = folder.vaultFiles();
  const running = spawn(process.execPath, [child, databaseFile, rootKeyFile, ending], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    await once(createInterface({ input: running.stdout }), 'line');
    const key = (await readFile(rootKeyFile)).subarray(24, 56);
    return findInMemory(running.pid ?? 0, [key.subarray(0, 16), key.subarray(16)]);
  } finally {
    running.stdin.end();
    if (running.exitCode === null) await once(running, 'exit');
  }
}

describe('sealed vaults', () => {
  it('answer nothing: not what was held from before, and not what had begun', async () => {
    await using folder = await ScratchFolder.make();
    await using sealable = await SealableVaults.open(folder.vaultFiles());
    const vault = await sealable.vaults().createVault('kv1');
    const { id } = await vault.setSecret('a', secret('x'), { contentType: null, tags: {} });
    const key = await vault.createKey('kek');
    const { value: wrapped } = await vault.wrapKey(key.id, 'RSA-OAEP', secret('x'));
    const begun = Array.from({ length: 20 }, () => vault.getSecret(id));
    await sealable.seal();
    for (const { status, ...rest } of await Promise.allSettled(begun)) {
      if (status === 'rejected') assert.equal((rest as { reason: { code: string } }).reason.code, sealed.code);
    }
    assert.throws(() => sealable.vaults(), sealed);
    const calls: readonly (() => Promise<unknown>)[] = [
      () => vault.getSecret(id),
      () => vault.setSecret('a', secret('y'), { contentType: null, tags: {} }),
      () => vault.unwrapKey(key.id, 'RSA-OAEP', wrapped),
      () => vault.createKey('other'),
      async () => vault.listSecrets(),
      () => sealable.rekey('file', undefined),
    ];
    for (const call of calls) await assert.rejects(call, sealed);
    assert.deepEqual(await sealable.state(), { sealed: true, rootKey: null, isNew: false });
    await sealable.seal();
    // Its database is free for another meanwhile.
    await (await EmbeddedVaults.open(folder.vaultFiles())).close();
    await sealable.unseal(undefined);
    using value = (await sealable.vaults().vault('kv1').getSecret(id)).value;
    assert.ok(value.equals(secret('x')));
  });

  it('have the root key in memory no more; before, it is there', async () => {
    assert.deepEqual(await rootKeyInMemory('seal'), []);
    assert.notDeepEqual(await rootKeyInMemory('keep'), []);
  });

  it('can be opened and rekeyed with a PIN that only a person has', async () => {
    await using folder = await ScratchFolder.make();
    const options = await makeSoftToken(folder);
    const files = folder.vaultFiles();
    const open = (): Promise<SealableVaults> =>
      SealableVaults.open({
        ...files,
        source: 'pkcs11',
        async token(pin) {
          if (pin === undefined) throw new KannukiError('KNK-KVT-0027');
          return TokenRootKeys.open({ ...options, pin: async () => SecretBytes.copy(pin.bytes) });
        },
      });
    using pin = await options.pin();
    const sealable = await open();
    assert.deepEqual(await sealable.state(), { sealed: true, rootKey: null, isNew: true });
    await sealable.unseal(pin);
    const vault = await sealable.vaults().createVault('kv1');
    const { id } = await vault.setSecret('a', secret('x'), { contentType: null, tags: {} });
    const first = (await sealable.state()).rootKey;
    assert.notEqual(await sealable.rekey('pkcs11', pin), first);
    await sealable.close();
    assert.equal((await readFile(files.rootKeyFile)).subarray(0, 8).toString(), 'KNKROOTH');
    await using again = await open();
    assert.throws(() => again.vaults(), sealed);
    await again.unseal(pin);
    using value = (await again.vaults().vault('kv1').getSecret(id)).value;
    assert.ok(value.equals(secret('x')));
  });
});
