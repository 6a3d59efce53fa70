import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { KeyInfo, StoredSecret, VaultPort, WrapAlgorithm, WrappedKey } from '../port.ts';
import { DyingVault, VaultInFront } from '../testing/faulty-vault.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { escrowBlob, escrowPassphrase, headerRecordContentType } from './escrow.ts';
import { generatePassphrase } from './passphrase.ts';
import { releaseBlob, releasePassphrase } from './release.ts';

let scratch: ScratchVault;
let kek: KeyInfo;

before(async () => {
  scratch = await ScratchVault.make();
  kek = await scratch.vault.createKey('kek');
});
after(() => scratch[Symbol.asyncDispose]());

let names = 0;
function newName(): string {
  names += 1;
  return `secret-${names}`;
}

async function rejection(attempt: Promise<unknown>): Promise<KannukiError> {
  const error: unknown = await attempt.then(
    (receipt) => assert.fail(`there is a receipt: ${inspect(receipt)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KannukiError, inspect(error));
  return error;
}

describe('a generated passphrase', () => {
  it('is 127 random bytes as 172 characters of base64, as ADE makes it', () => {
    using passphrase = generatePassphrase();
    const text = Buffer.from(passphrase.bytes).toString('latin1');
    assert.match(text, /^[A-Za-z0-9+/]{170}==$/);
    assert.equal(Buffer.from(text, 'base64').length, 127);
    using other = generatePassphrase();
    assert.equal(passphrase.equals(other), false);
  });
});

describe('escrow of a passphrase', () => {
  for (const algorithm of ['RSA-OAEP', 'RSA-OAEP-256'] as const) {
    it(`wraps with ${algorithm}, tags as ADE, and can be released`, async () => {
      using passphrase = generatePassphrase();
      const secretName = newName();
      const receipt = await escrowPassphrase(scratch.vault, {
        passphrase,
        secretName,
        kekId: `${scratch.vault.vaultUri}keys/kek`,
        algorithm,
        machineName: 'vm1',
        volumeLetter: '/data0',
        tags: { DiskEncryptionKeyFileName: 'ours must win', Extra: 'kept' },
      });
      assert.match(
        receipt.secretId,
        new RegExp(`^https://kv-test\\.vault\\.localhost/secrets/${secretName}/[0-9a-f]{32}$`),
      );
      assert.equal(receipt.kekId, kek.id);
      assert.equal(receipt.algorithm, algorithm);
      assert.equal(receipt.contentType, 'Wrapped BEK');
      assert.equal(receipt.keyFileName, 'LinuxPassPhraseFileName');

      const stored = await scratch.vault.getSecret(receipt.secretId);
      using value = stored.value;
      assert.equal(stored.contentType, 'Wrapped BEK');
      assert.deepEqual(stored.tags, {
        Extra: 'kept',
        DiskEncryptionKeyFileName: 'LinuxPassPhraseFileName',
        DiskEncryptionKeyEncryptionAlgorithm: algorithm,
        DiskEncryptionKeyEncryptionKeyURL: kek.id,
        MachineName: 'vm1',
        VolumeLetter: '/data0',
      });
      const text = Buffer.from(value.bytes).toString('latin1');
      assert.match(text, /^[A-Za-z0-9_-]{342}$/, 'base64url without padding, as wrapKey answers in Azure');
      using unwrapped = await scratch.vault.unwrapKey(kek.id, algorithm, Buffer.from(text, 'base64url'));
      assert.ok(unwrapped.equals(passphrase));

      using released = await releasePassphrase(scratch.vault, receipt);
      assert.ok(released.equals(passphrase));
      using fromJournal = await releasePassphrase(scratch.vault, JSON.parse(JSON.stringify(receipt)) as typeof receipt);
      assert.ok(fromJournal.equals(passphrase));
    });
  }

  it('without a KEK stores the passphrase itself as BEK', async () => {
    using passphrase = generatePassphrase();
    const keyFileName = 'LinuxPassPhraseFileName_1_0';
    const receipt = await escrowPassphrase(scratch.vault, {
      passphrase,
      secretName: newName(),
      kekId: null,
      keyFileName,
    });
    assert.equal(receipt.contentType, 'BEK');
    assert.equal(receipt.kekId, null);
    const stored = await scratch.vault.getSecret(receipt.secretId);
    using value = stored.value;
    assert.ok(value.equals(passphrase));
    assert.deepEqual(stored.tags, {
      DiskEncryptionKeyFileName: keyFileName,
      DiskEncryptionKeyEncryptionAlgorithm: 'RSA-OAEP',
    });
    using released = await releasePassphrase(scratch.vault, receipt);
    assert.ok(released.equals(passphrase));
  });

  it('takes the KEK from another vault', async () => {
    await using second = await ScratchVault.make('kek-vault');
    const key = await second.vault.createKey('other', { bits: 3072 });
    using passphrase = generatePassphrase();
    const options = { passphrase, secretName: newName(), kekId: key.id };
    const receipt = await escrowPassphrase(scratch.vault, { ...options, kekVault: second.vault });
    assert.equal(receipt.kekId, key.id);
    using released = await releasePassphrase(scratch.vault, receipt, second.vault);
    assert.ok(released.equals(passphrase));
    assert.equal((await rejection(escrowPassphrase(scratch.vault, options))).code, 'KNK-KVT-0003');
  });

  it('releases what was wrapped by an older version of the KEK', async () => {
    const old = await scratch.vault.createKey('rotated');
    using passphrase = generatePassphrase();
    const receipt = await escrowPassphrase(scratch.vault, { passphrase, secretName: newName(), kekId: old.id });
    const newer = await scratch.vault.createKey('rotated');
    assert.notEqual(newer.id, old.id);
    using released = await releasePassphrase(scratch.vault, receipt);
    assert.ok(released.equals(passphrase));
  });
});

describe('escrow when the vault dies', () => {
  const callsWithKek = ['keyInfo', 'wrapKey', 'setSecret', 'getSecret', 'unwrapKey'];
  for (const moment of ['before', 'after'] as const) {
    for (const [index, call] of callsWithKek.entries()) {
      it(`gives no receipt when it dies ${moment} ${call}`, async () => {
        using passphrase = generatePassphrase();
        const vault = new DyingVault(scratch.vault, index + 1, moment);
        const secretName = newName();
        const error = await rejection(escrowPassphrase(vault, { passphrase, secretName, kekId: kek.id }));
        assert.equal(error.code, 'KNK-KVT-0001');
        assert.equal(error.exitCode, 69);
        assert.deepEqual(vault.calls, callsWithKek.slice(0, index + 1), 'nothing was asked of a vault that failed');
        const isStored = scratch.vault.secretVersions(secretName).length === 1;
        assert.equal(isStored, index > 2 || (index === 2 && moment === 'after'));
      });
    }
    for (const failAt of [1, 2]) {
      it(`gives no receipt for a header record when call ${failAt} fails ${moment}`, async () => {
        using blob = SecretBytes.take(Buffer.from('{}'));
        const vault = new DyingVault(scratch.vault, failAt, moment);
        assert.equal((await rejection(escrowBlob(vault, { blob, secretName: newName() }))).code, 'KNK-KVT-0001');
      });
    }
  }

  it('asks exactly those calls of a vault that lives', async () => {
    using passphrase = generatePassphrase();
    const vault = new DyingVault(scratch.vault, Number.POSITIVE_INFINITY);
    await escrowPassphrase(vault, { passphrase, secretName: newName(), kekId: kek.id });
    assert.deepEqual(vault.calls, callsWithKek);
  });
});

/** A vault whose answer to getSecret was changed on the way. */
function lying(change: (stored: StoredSecret) => StoredSecret | Promise<StoredSecret>): VaultPort {
  return new (class extends VaultInFront {
    override async getSecret(secretId: string): Promise<StoredSecret> {
      return change(await super.getSecret(secretId));
    }
  })(scratch.vault);
}

describe('escrow when the vault lies', () => {
  const lies: Readonly<Record<string, (stored: StoredSecret) => StoredSecret>> = {
    'returns another value': (stored) => {
      const value = SecretBytes.copy(stored.value.bytes);
      value.bytes[10] = value.bytes[10] === 65 ? 66 : 65;
      return { ...stored, value };
    },
    'returns a shorter value': (stored) => ({ ...stored, value: SecretBytes.copy(stored.value.bytes.subarray(1)) }),
    'returns another version': (stored) => ({ ...stored, id: `${stored.id.slice(0, -32)}${'0'.repeat(32)}` }),
    'returns an id without version': (stored) => ({ ...stored, id: stored.id.slice(0, -33) }),
    'returns another secret': (stored) => ({ ...stored, id: stored.id.replace('/secrets/', '/secrets/x') }),
    'changes a tag': (stored) => ({ ...stored, tags: { ...stored.tags, DiskEncryptionKeyFileName: 'x' } }),
    'drops the tags': (stored) => ({ ...stored, tags: {} }),
    'adds a tag': (stored) => ({ ...stored, tags: { ...stored.tags, More: 'x' } }),
    'changes the content type': (stored) => ({ ...stored, contentType: 'text/plain' }),
    'drops the content type': (stored) => ({ ...stored, contentType: null }),
    'has it disabled': (stored) => ({ ...stored, enabled: false }),
  };
  for (const [lie, change] of Object.entries(lies)) {
    for (const withKek of [true, false]) {
      it(`notices that it ${lie} (${withKek ? 'with' : 'without'} KEK)`, async () => {
        using passphrase = generatePassphrase();
        const kekId = withKek ? kek.id : null;
        const error = await rejection(escrowPassphrase(lying(change), { passphrase, secretName: newName(), kekId }));
        assert.equal(error.code, 'KNK-KVT-0006');
      });
    }
    it(`notices for a header record that it ${lie}`, async () => {
      using blob = SecretBytes.take(Buffer.from('{"header":"record"}'));
      const tags = { DiskEncryptionKeyFileName: 'y' };
      const error = await rejection(escrowBlob(lying(change), { blob, secretName: newName(), tags }));
      assert.equal(error.code, 'KNK-KVT-0006');
    });
  }

  it('notices that it gives back the old version of the secret under the new id', async () => {
    const secretName = newName();
    using old = generatePassphrase();
    const first = await escrowPassphrase(scratch.vault, { passphrase: old, secretName, kekId: kek.id });
    const vault = lying(async (stored) => ({ ...(await scratch.vault.getSecret(first.secretId)), id: stored.id }));
    using passphrase = generatePassphrase();
    const error = await rejection(escrowPassphrase(vault, { passphrase, secretName, kekId: kek.id }));
    assert.equal(error.code, 'KNK-KVT-0006');
  });

  it('notices that it wrapped something else', async () => {
    const vault = new (class extends VaultInFront {
      override async wrapKey(keyId: string, algorithm: WrapAlgorithm): Promise<WrappedKey> {
        using other = generatePassphrase();
        return await super.wrapKey(keyId, algorithm, other);
      }
    })(scratch.vault);
    using passphrase = generatePassphrase();
    const error = await rejection(escrowPassphrase(vault, { passphrase, secretName: newName(), kekId: kek.id }));
    assert.equal(error.code, 'KNK-KVT-0006');
    assert.match(error.message, /unwrapped passphrase/);
  });

  it('notices that it wrapped with another version of the KEK', async () => {
    const vault = new (class extends VaultInFront {
      override async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
        const wrapped = await super.wrapKey(keyId, algorithm, value);
        return { ...wrapped, keyId: `${wrapped.keyId.slice(0, -32)}${'0'.repeat(32)}` };
      }
    })(scratch.vault);
    using passphrase = generatePassphrase();
    const error = await rejection(escrowPassphrase(vault, { passphrase, secretName: newName(), kekId: kek.id }));
    assert.equal(error.code, 'KNK-KVT-0006');
  });

  it('notices that it names no version of what it stored', async () => {
    const vault = new (class extends VaultInFront {
      override async setSecret(name: string): Promise<{ readonly id: string }> {
        return { id: `${this.vaultUri}secrets/${name}` };
      }
    })(scratch.vault);
    using passphrase = generatePassphrase();
    const error = await rejection(escrowPassphrase(vault, { passphrase, secretName: newName(), kekId: kek.id }));
    assert.equal(error.code, 'KNK-KVT-0014');
  });
});

describe('release', () => {
  it('refuses a secret that was disabled or is gone', async () => {
    using passphrase = generatePassphrase();
    const receipt = await escrowPassphrase(scratch.vault, { passphrase, secretName: newName(), kekId: kek.id });
    await scratch.vault.setSecretEnabled(receipt.secretId, false);
    assert.equal((await rejection(releasePassphrase(scratch.vault, receipt))).code, 'KNK-KVT-0004');
    const gone = { ...receipt, secretId: `${receipt.secretId.slice(0, -32)}${'0'.repeat(32)}` };
    assert.equal((await rejection(releasePassphrase(scratch.vault, gone))).code, 'KNK-KVT-0003');
  });

  it('refuses when the KEK was disabled', async () => {
    const key = await scratch.vault.createKey('to-be-disabled');
    using passphrase = generatePassphrase();
    const receipt = await escrowPassphrase(scratch.vault, { passphrase, secretName: newName(), kekId: key.id });
    await scratch.vault.setKeyEnabled(key.id, false);
    assert.equal((await rejection(releasePassphrase(scratch.vault, receipt))).code, 'KNK-KVT-0004');
    await scratch.vault.setKeyEnabled(key.id, true);
    using released = await releasePassphrase(scratch.vault, receipt);
    assert.ok(released.equals(passphrase));
  });

  it('refuses another version than the one that the receipt names', async () => {
    using passphrase = generatePassphrase();
    const receipt = await escrowPassphrase(scratch.vault, { passphrase, secretName: newName(), kekId: null });
    const vault = lying((stored) => ({ ...stored, id: stored.id.slice(0, -33) }));
    assert.equal((await rejection(releasePassphrase(vault, receipt))).code, 'KNK-KVT-0006');
  });

  it('takes wrapped values in standard base64 too, as some tools write them', async () => {
    using passphrase = generatePassphrase();
    const { value } = await scratch.vault.wrapKey(kek.id, 'RSA-OAEP', passphrase);
    using text = SecretBytes.take(Buffer.from(Buffer.from(value).toString('base64')));
    const contentType = 'Wrapped BEK';
    const { id } = await scratch.vault.setSecret(newName(), text, { contentType, tags: {} });
    const keyFileName = 'LinuxPassPhraseFileName';
    const receipt = { secretId: id, kekId: kek.id, algorithm: 'RSA-OAEP', contentType, keyFileName } as const;
    using released = await releasePassphrase(scratch.vault, receipt);
    assert.ok(released.equals(passphrase));
  });
});

describe('escrow of a header record', () => {
  it('stores it as it is and gives it back', async () => {
    using blob = SecretBytes.take(Buffer.from(JSON.stringify({ json: 'x'.repeat(20_000), label: '閂' })));
    const receipt = await escrowBlob(scratch.vault, { blob, secretName: newName(), tags: { Volume: '/data0' } });
    assert.equal(receipt.contentType, headerRecordContentType);
    using released = await releaseBlob(scratch.vault, receipt);
    assert.ok(released.equals(blob));
  });

  it('refuses what no vault can hold, before it asks the vault', async () => {
    const vault = new DyingVault(scratch.vault, 1);
    const blobs = {
      empty: Buffer.alloc(0),
      tooLarge: Buffer.alloc(25 * 1024 + 1, 'a'),
      notText: Buffer.of(0xff, 0xfe),
    };
    for (const [what, bytes] of Object.entries(blobs)) {
      using blob = SecretBytes.take(bytes);
      const error = await rejection(escrowBlob(vault, { blob, secretName: newName() }));
      assert.equal(error.code, 'KNK-KVT-0007', what);
    }
    using blob = SecretBytes.take(Buffer.from('{}'));
    assert.equal((await rejection(escrowBlob(vault, { blob, secretName: 'no/name' }))).code, 'KNK-KVT-0007');
    assert.deepEqual(vault.calls, []);
  });
});

describe('the passphrase in errors', () => {
  it('is in none, however the vault or its driver fails', async () => {
    using passphrase = SecretBytes.take(Buffer.from('CANARY-PASSPHRASE-CANARY-PASSPHRASE'));
    const chatty = new (class extends VaultInFront {
      override async setSecret(_name: string, value: SecretBytes): Promise<{ readonly id: string }> {
        throw new Error(`HTTP 500 for body ${Buffer.from(value.bytes).toString()}`, {
          cause: Buffer.from(value.bytes).toString(),
        });
      }
    })(scratch.vault);
    const errors = [await rejection(escrowPassphrase(chatty, { passphrase, secretName: newName(), kekId: null }))];
    for (const failAt of [1, 2]) {
      const vault = new DyingVault(scratch.vault, failAt, 'after');
      errors.push(await rejection(escrowPassphrase(vault, { passphrase, secretName: newName(), kekId: null })));
    }
    const liar = lying((stored) => ({ ...stored, value: SecretBytes.take(Buffer.from('CANARY-PASSPHRASE and more')) }));
    errors.push(await rejection(escrowPassphrase(liar, { passphrase, secretName: newName(), kekId: null })));
    errors.push(await rejection(escrowPassphrase(scratch.vault, { passphrase, secretName: 'a/b', kekId: null })));
    assert.equal(errors[0]?.code, 'KNK-KVT-0019');
    for (const error of errors) {
      const shown = [inspect(error, { depth: 9, showHidden: true }), error.stack, JSON.stringify(error), String(error)];
      for (const language of ['en', 'ja'] as const) shown.push(error.describe(language), error.remedy(language));
      assert.doesNotMatch(shown.join('\n'), /CANARY/);
    }
  });
});
