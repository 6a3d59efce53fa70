import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { loadModule, resultName } from '../pkcs11/cryptoki.ts';
import { Pkcs11Token, type Pkcs11TokenOptions } from '../pkcs11/token.ts';
import { TokenRootKeys } from '../pkcs11/token-root-key.ts';
import { ScratchFolder } from '../testing/scratch-vaults.ts';
import { makeSoftToken, softTokenPin } from '../testing/soft-token.ts';
import { withCheckSum } from './file-format.ts';
import { newRawRootKey } from './memory-root-key.ts';
import { encodeRootKey, readRawRootKey } from './root-key-file.ts';
import type { RootKeyToken, TokenMethod, TokenSealed } from './token-form.ts';

let folder: ScratchFolder;
let options: Pkcs11TokenOptions;
let token: TokenRootKeys;
before(async () => {
  folder = await ScratchFolder.make();
  options = await makeSoftToken(folder);
  token = await TokenRootKeys.open(options);
});
after(async () => {
  await token.close();
  await folder[Symbol.asyncDispose]();
});

const openers = { token: (): Promise<RootKeyToken> => TokenRootKeys.open(options) };

describe('a root key in a token', () => {
  it('comes back from its file, under a key that cannot be taken out', async () => {
    using raw = newRawRootKey();
    using content = await encodeRootKey(raw, { kind: 'pkcs11', token });
    const path = folder.file('root.key');
    await writeFile(path, content.bytes, { mode: 0o600 });
    using again = await readRawRootKey(path, 'own', openers);
    assert.ok(again.key.equals(raw.key));
    const file = await readFile(path);
    assert.ok(!file.includes(Buffer.from(raw.key.bytes)));
    assert.ok(!file.includes(softTokenPin) && !file.includes('.so'), 'neither PIN nor module is in the file');
    const seen = await Pkcs11Token.open(options);
    await seen.use(async ({ binding: b, cryptoki, session, find }) => {
      const [key] = find([{ type: b.CKA_CLASS, value: b.CKO_SECRET_KEY }]);
      assert.ok(key !== undefined);
      const read = (): unknown => cryptoki.C_GetAttributeValue(session, key, [{ type: b.CKA_VALUE }]);
      assert.throws(read, (error) => resultName(error) === 'CKR_ATTRIBUTE_SENSITIVE');
    });
    await seen.close();
  });

  it('is not opened from a file with any other bit, even where the check sum was made to fit', async () => {
    using raw = newRawRootKey();
    using content = await encodeRootKey(raw, { kind: 'pkcs11', token });
    const path = folder.file('flipped');
    const body = Buffer.from(content.bytes.subarray(0, -8));
    // Every byte of the fields, and every few of what is sealed.
    for (let at = 8; at < body.length; at += 3) {
      const flipped = Buffer.from(body);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      await writeFile(path, withCheckSum(flipped), { mode: 0o600 });
      await assert.rejects(
        readRawRootKey(path, 'own', { token: async () => ({ ...notClosed(token) }) }),
        (error: { code?: string }) => ['KNK-KVT-0011', 'KNK-KVT-0042'].includes(error.code ?? ''),
        `byte ${at}`,
      );
    }
  });

  it('can be kept by AES-GCM, AES-CBC-PAD or RSA-OAEP, as the token has it', async () => {
    const { binding, cryptoki, release } = await loadModule(options.modulePath);
    const real = cryptoki.C_GetMechanismList.bind(cryptoki);
    const expected: readonly (readonly [TokenMethod, readonly number[]])[] = [
      ['AES-GCM', []],
      ['AES-CBC-PAD', [binding.CKM_AES_GCM]],
      ['RSA-OAEP', [binding.CKM_AES_GCM, binding.CKM_AES_CBC_PAD]],
    ];
    try {
      for (const [method, without] of expected) {
        // The token is the real one; it only says that it has less.
        cryptoki.C_GetMechanismList = (slot) => real(slot).filter((mechanism) => !without.includes(mechanism));
        using key = SecretBytes.random(32);
        const sealed: TokenSealed = await token.seal(key);
        assert.equal(sealed.method, method);
        using opened = await token.open(sealed);
        assert.ok(opened?.equals(key));
      }
    } finally {
      cryptoki.C_GetMechanismList = real;
      release();
    }
  });
});

function notClosed(kept: TokenRootKeys): RootKeyToken {
  return {
    label: kept.label,
    seal: (key) => kept.seal(key),
    open: (sealed) => kept.open(sealed),
    close: async () => undefined,
  };
}
