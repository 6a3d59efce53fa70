import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SupportFacts } from '../facts.ts';
import { supportRules } from '../rules/rules.ts';
import { checkMethod } from './method.ts';

const rules = supportRules();

function found(facts: Partial<SupportFacts>): string[] {
  return checkMethod({ volumeType: 'DATA', ...facts }, rules).map(({ severity, rule }) => `${severity} ${rule}`);
}

test('REQ-010: a VM keeps the method that it was encrypted with, both ways', () => {
  assert.deepEqual(found({ encryptedBy: 'legacy', method: 'new' }), ['refuse REQ-010']);
  assert.deepEqual(found({ encryptedBy: 'legacy' }), ['refuse REQ-010'], 'new is the default');
  assert.deepEqual(found({ encryptedBy: 'new', method: 'legacy' }), ['refuse REQ-010']);
  assert.deepEqual(found({ encryptedBy: 'legacy', method: 'legacy' }), []);
  assert.deepEqual(found({ encryptedBy: 'new', method: 'new' }), []);
  const [finding] = checkMethod({ volumeType: 'DATA', encryptedBy: 'legacy', method: 'new' }, rules);
  assert.match(finding?.message.en ?? '', /earlier method, with Microsoft Entra credentials/);
});

test('REQ-036: the earlier method on a VM never encrypted is a warning, not a refusal', () => {
  assert.deepEqual(found({ method: 'legacy', encryptedBy: null }), ['warn REQ-036']);
  assert.deepEqual(found({ method: 'new', encryptedBy: null }), []);
});

test('REQ-037: the earlier method and every row of the image table', () => {
  for (const image of rules.images) {
    const { publisher, offer, sku, version } = image.urn;
    const urn = [publisher, offer, sku, version].join(':');
    // Kept apart from the data on purpose: what the SKU says about release and Python.
    const rhelAfter78 = publisher === 'RedHat' && /^(?:[89]|7_9|7-LVM)/.test(sku);
    const oldPython = /^(?:CentOS|CentOS-LVM|RHEL)$/.test(offer) ? /^[67]/.test(sku) : publisher === 'SUSE';
    const refused = found({ method: 'legacy', urn }).includes('refuse REQ-037');
    assert.equal(refused, rhelAfter78 || !oldPython, urn);
  }
});

test('REQ-037: RHEL 7.8 is the last, and a VM whose own Python is 3 is refused too', () => {
  const urn = 'RedHat:RHEL:7.8:latest';
  assert.deepEqual(found({ method: 'legacy', urn }), ['warn REQ-036']);
  assert.deepEqual(found({ method: 'legacy', urn, pythonMajor: 3 }), ['warn REQ-036', 'refuse REQ-037']);
  assert.deepEqual(found({ method: 'legacy', urn: 'RedHat:RHEL:7_9:latest' }), ['warn REQ-036', 'refuse REQ-037']);
});

test('REQ-037: RHEL 8 is refused for both reasons, and a pinned image is judged in any version', () => {
  const refusals = found({ method: 'legacy', urn: 'RedHat:RHEL:8_6:latest' }).filter((one) => one.startsWith('refuse'));
  assert.deepEqual(refusals, ['refuse REQ-037', 'refuse REQ-037']);
  assert.ok(found({ method: 'legacy', urn: 'RedHat:RHEL:7-LVM:latest' }).includes('refuse REQ-037'));
});
