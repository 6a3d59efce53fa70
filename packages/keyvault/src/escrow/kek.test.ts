import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import type { KeyInfo, WrapAlgorithm, WrappedKey } from '../port.ts';
import { VaultInFront } from '../testing/faulty-vault.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { escrowPassphrase } from './escrow.ts';
import { kekFindings, requireUsableKek } from './kek.ts';
import { generatePassphrase } from './passphrase.ts';

const usable: KeyInfo = {
  id: `https://kv.example/keys/kek/${'a'.repeat(32)}`,
  kind: 'RSA',
  bits: 2048,
  enabled: true,
  operations: ['wrapKey', 'unwrapKey'],
};

describe('what can be a KEK', () => {
  const accepted: readonly Partial<KeyInfo>[] = [
    {},
    { bits: 3072 },
    { bits: 4096 },
    { kind: 'RSA-HSM' },
    { operations: ['sign', 'unwrapKey', 'wrapKey'] },
  ];
  for (const change of accepted) {
    it(`accepts ${JSON.stringify(change)}`, () => assert.deepEqual(kekFindings({ ...usable, ...change }), []));
  }

  const refused: readonly [Partial<KeyInfo>, number][] = [
    [{ kind: 'EC', bits: 256 }, 1],
    [{ kind: 'EC-HSM', bits: 521 }, 1],
    [{ bits: 1024 }, 1],
    [{ bits: 2047 }, 1],
    [{ bits: 8192 }, 1],
    [{ enabled: false }, 1],
    [{ operations: ['wrapKey'] }, 1],
    [{ operations: ['unwrapKey'] }, 1],
    [{ operations: [] }, 2],
    [{ kind: 'EC', bits: 384, enabled: false, operations: ['sign'] }, 4],
    [{ bits: 1024, enabled: false }, 2],
  ];
  for (const [change, number] of refused) {
    it(`refuses ${JSON.stringify(change)} with every finding`, () => {
      const findings = kekFindings({ ...usable, ...change });
      assert.equal(findings.length, number);
      for (const finding of findings) {
        assert.equal(finding.rule, 'REQ-068');
        assert.equal(finding.severity, 'refuse');
        assert.equal(finding.subject, usable.id);
        assert.notEqual(finding.message.en, finding.message.ja);
      }
    });
  }
});

describe('escrow under a key that cannot be the KEK', () => {
  let scratch: ScratchVault;
  before(async () => {
    scratch = await ScratchVault.make();
  });
  after(() => scratch[Symbol.asyncDispose]());

  /** A vault that says this of its key, and counts what else it is asked. */
  class VaultWithKey extends VaultInFront {
    readonly #said: Partial<KeyInfo>;
    writes = 0;

    constructor(said: Partial<KeyInfo>) {
      super(scratch.vault);
      this.#said = said;
    }

    override async keyInfo(keyId: string): Promise<KeyInfo> {
      return { ...(await super.keyInfo(keyId)), ...this.#said };
    }

    override wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
      this.writes += 1;
      return super.wrapKey(keyId, algorithm, value);
    }
  }

  for (const said of [{ kind: 'EC', bits: 256 }, { bits: 1024 }] as const) {
    it(`is refused for ${JSON.stringify(said)} and stores nothing`, async () => {
      const { id } = await scratch.vault.createKey('kek');
      const vault = new VaultWithKey(said);
      using passphrase = generatePassphrase();
      await assert.rejects(escrowPassphrase(vault, { passphrase, secretName: 'never', kekId: id }), (error) => {
        assert.ok(error instanceof KannukiError);
        assert.equal(error.code, 'KNK-KVT-0005');
        assert.equal(error.exitCode, 10);
        assert.equal(error.findings[0]?.rule, 'REQ-068');
        return true;
      });
      assert.equal(vault.writes, 0);
      assert.deepEqual(scratch.vault.listSecrets(), []);
    });
  }

  it('is refused for a disabled key and for one that may not unwrap', async () => {
    const disabled = await scratch.vault.createKey('disabled');
    await scratch.vault.setKeyEnabled(disabled.id, false);
    const wrapOnly = await scratch.vault.createKey('wrap-only', { operations: ['wrapKey'] });
    for (const { id } of [disabled, wrapOnly]) {
      await assert.rejects(requireUsableKek(scratch.vault, id), { code: 'KNK-KVT-0005' });
    }
    await assert.rejects(requireUsableKek(scratch.vault, `${scratch.vault.vaultUri}keys/none`), {
      code: 'KNK-KVT-0003',
    });
  });
});
