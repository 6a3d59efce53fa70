import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ScratchFolder } from '@kannuki/keyvault/testing/scratch-vaults';
import { makeSoftToken, softHsmModule, softTokenPin } from '@kannuki/keyvault/testing/soft-token';
import { kannuki } from './kannuki.ts';
import { ServerProcess } from './server-process.ts';

test('the command line makes and uses a key of the token; kill -9; a PIN that others could read is not used', async () => {
  await using folder = await ScratchFolder.make();
  const { tokenLabel } = await makeSoftToken(folder);
  const pinFile = folder.file('pin');
  await writeFile(pinFile, softTokenPin, { mode: 0o600 });
  // The root key is sealed in the same token: both use one login.
  const config = `[vault]\nrootKey = "pkcs11"\n[pkcs11]\nmodule = "${softHsmModule}"\ntokenLabel = "${tokenLabel}"\npinFile = "${pinFile}"\n`;
  await using server = await ServerProcess.start({ config });
  const run = async (...words: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kannuki([...words, '--data', server.data]);
    assert.equal(exitCode, 0, stderr);
    assert.equal((stdout + stderr).includes(softTokenPin), false);
    return stdout;
  };
  await run('group', 'create', '-n', 'rg', '-l', 'local');
  await run('keyvault', 'create', '-n', 'kvp', '-g', 'rg', '--sku', 'premium');
  const key = ['--vault-name', 'kvp', '-n', 'kek'];
  const made = JSON.parse(await run('keyvault', 'key', 'create', ...key, '--kty', 'RSA-HSM')) as {
    key: { kty: string };
  };
  assert.equal(made.key.kty, 'RSA-HSM');
  const plain = ['-a', 'RSA-OAEP', '--data-type', 'plaintext'];
  const encrypted = JSON.parse(
    await run(
      'keyvault',
      'key',
      'encrypt',
      ...key,
      '-a',
      'RSA-OAEP',
      '--value',
      'for the token',
      '--data-type',
      'plaintext',
    ),
  ) as { result: string };
  await server.kill();
  await server.start();
  const value = await run('keyvault', 'key', 'decrypt', ...key, ...plain, '--value', encrypted.result);
  assert.match(value, /for the token/);

  await server.stop();
  await chmod(pinFile, 0o644);
  await assert.rejects(server.start(), (error: Error) => {
    assert.match(error.message, /KNK-KVT-0044/);
    assert.equal(error.message.includes(softTokenPin), false);
    return true;
  });
  assert.equal(server.said.includes(softTokenPin), false);
});
