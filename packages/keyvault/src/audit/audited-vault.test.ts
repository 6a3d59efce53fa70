import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode, KannukiError, SecretBytes } from '@kannuki/core';
import type { VaultPort } from '../port.ts';
import type { AuditPort, AuditRecord } from '../service/audit-port.ts';
import { ScratchVault } from '../testing/scratch-vaults.ts';
import { AuditedVault } from './audited-vault.ts';

class Recording implements AuditPort {
  readonly records: AuditRecord[] = [];
  full = false;

  append(record: AuditRecord): Promise<void> {
    if (this.full)
      return Promise.reject(new KannukiError('KNK-AUD-0001', { details: { file: 'f', reason: 'ENOSPC' } }));
    this.records.push(record);
    return Promise.resolve();
  }
}

const caller = { objectId: 'vm:1', applicationId: null, address: '10.0.0.1' };

function audited(vault: VaultPort, audit: AuditPort): AuditedVault {
  return new AuditedVault({ vault, audit, caller, requestId: 'request-1', now: () => 1000 });
}

const plain = { contentType: null, tags: {} };

describe('the audited vault', () => {
  it('records each call with the version that was used, and each refusal', async () => {
    await using scratch = await ScratchVault.make();
    const audit = new Recording();
    const vault = audited(scratch.vault, audit);
    const { id: keyId } = await scratch.vault.createKey('kek', { bits: 2048 });
    const unversioned = keyId.slice(0, keyId.lastIndexOf('/'));
    using value = SecretBytes.random(32);
    using text = SecretBytes.take(Buffer.from('canary-3b2f'));
    const { id } = await vault.setSecret('name', text, plain);
    using found = (await vault.getSecret(id.slice(0, id.lastIndexOf('/')))).value;
    assert.equal(found.equals(text), true);
    await vault.keyInfo(unversioned);
    const wrapped = await vault.wrapKey(unversioned, 'RSA-OAEP-256', value);
    using opened = await vault.unwrapKey(unversioned, 'RSA-OAEP-256', wrapped.value);
    assert.equal(opened.equals(value), true);
    await assert.rejects(vault.getSecret(`${scratch.vault.vaultUri}secrets/none`), (error) =>
      hasCode(error, 'KNK-KVT-0003'),
    );
    await assert.rejects(vault.keyInfo('canary-3b2f'));
    await assert.rejects(vault.setSecret('canary 3b2f', text, plain));
    const path = (objectId: string): string => new URL(objectId).pathname.slice(1);
    const seen = audit.records.map(({ operation, object, status, error }) => [operation, object, status, error]);
    assert.deepEqual(seen, [
      ['SecretSet', path(id), 200, null],
      ['SecretGet', path(id), 200, null],
      ['KeyGet', path(keyId), 200, null],
      ['KeyWrap', path(keyId), 200, null],
      ['KeyUnwrap', path(keyId), 200, null],
      ['SecretGet', 'secrets/none', 404, 'SecretNotFound'],
      ['KeyGet', null, 400, 'BadParameter'],
      ['SecretSet', null, 400, 'BadParameter'],
    ]);
    for (const record of audit.records) {
      assert.deepEqual(
        { ...record, operation: '', object: '', status: 0, error: '' },
        {
          ...caller,
          operation: '',
          object: '',
          status: 0,
          error: '',
          time: 1000,
          requestId: 'request-1',
          vault: 'kv-test',
        },
      );
    }
    assert.doesNotMatch(JSON.stringify(audit.records), /canary/);
    assert.equal(vault.calls, 8);
  });

  it('hands nothing out that could not be recorded, and wipes it', async () => {
    await using scratch = await ScratchVault.make();
    const audit = new Recording();
    using text = SecretBytes.take(Buffer.from('text'));
    const { id } = await scratch.vault.setSecret('name', text, plain);
    const given: SecretBytes[] = [];
    const inner: VaultPort = {
      vaultUri: scratch.vault.vaultUri,
      keyInfo: (keyId) => scratch.vault.keyInfo(keyId),
      wrapKey: (...call) => scratch.vault.wrapKey(...call),
      unwrapKey: (...call) => scratch.vault.unwrapKey(...call),
      setSecret: (...call) => scratch.vault.setSecret(...call),
      getSecret: async (secretId) => {
        const stored = await scratch.vault.getSecret(secretId);
        given.push(stored.value);
        return stored;
      },
      disableSecret: (name) => scratch.vault.disableSecret(name),
    };
    audit.full = true;
    const vault = audited(inner, audit);
    await assert.rejects(vault.getSecret(id), (error) => hasCode(error, 'KNK-AUD-0001'));
    assert.equal(given.length, 1);
    assert.throws(() => given[0]?.bytes, /wiped/);
    await assert.rejects(vault.getSecret(`${inner.vaultUri}secrets/none`), (error) => hasCode(error, 'KNK-AUD-0001'));
  });
});
