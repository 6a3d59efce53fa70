import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefused } from '@kannuki/core';
import { checkSupport } from '../check.ts';

function refused(kekKind?: string, kekBits?: number): boolean {
  const findings = checkSupport({ volumeType: 'DATA', kekKind, kekBits });
  for (const finding of findings) assert.equal(finding.rule, 'REQ-068');
  return isRefused(findings);
}

test('REQ-068: RSA keys of 2048 bits, in software or in an HSM, are taken; larger ones too', () => {
  for (const kind of ['RSA', 'RSA-HSM', 'rsa']) {
    assert.equal(refused(kind), false, kind);
    for (const bits of [2048, 3072, 4096]) assert.equal(refused(kind, bits), false, `${kind} ${bits}`);
    for (const bits of [512, 1024, 2047, 8192]) assert.equal(refused(kind, bits), true, `${kind} ${bits}`);
  }
});

test('REQ-068: keys of any other type are refused', () => {
  for (const kind of ['EC', 'EC-HSM', 'oct', 'oct-HSM', '', 'RSA2']) assert.equal(refused(kind, 2048), true, kind);
});

test('REQ-069: no KEK is allowed', () => {
  assert.deepEqual(checkSupport({ volumeType: 'ALL', vaultGiven: true }), []);
});
