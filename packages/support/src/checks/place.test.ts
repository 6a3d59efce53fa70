import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SupportFacts } from '../facts.ts';
import { supportRules } from '../rules/rules.ts';
import { checkPlace } from './place.ts';

const rules = supportRules();

function found(facts: Partial<SupportFacts>, with_ = rules): string[] {
  return checkPlace({ volumeType: 'DATA', ...facts }, with_).map(({ severity, rule }) => `${severity} ${rule}`);
}

test('REQ-012: only a usable subscription', () => {
  for (const good of ['Enabled', 'Active', 'active']) assert.deepEqual(found({ subscriptionState: good }), [], good);
  for (const bad of ['Disabled', 'Expired', 'Deleted', 'Anything']) {
    assert.deepEqual(found({ subscriptionState: bad }), ['refuse REQ-012'], bad);
  }
  for (const ending of ['PastDue', 'Warned']) {
    assert.deepEqual(found({ subscriptionState: ending }), ['warn REQ-012'], ending);
  }
  const [finding] = checkPlace({ volumeType: 'DATA', subscriptionState: 'Disabled', vmSubscription: 'sub-1' }, rules);
  assert.equal(finding?.subject, 'sub-1');
});

test('REQ-012: every region of the data by name and by display name; an unknown one is refused and named', () => {
  for (const { name, displayName } of rules.regions) {
    assert.deepEqual(found({ vmRegion: name }), [], name);
    assert.deepEqual(found({ vmRegion: displayName.toUpperCase() }), [], displayName);
  }
  const [finding] = checkPlace({ volumeType: 'DATA', vmRegion: 'atlantis' }, rules);
  assert.deepEqual([finding?.rule, finding?.subject], ['REQ-012', 'atlantis']);
});

test('REQ-012: a region that the operator added is known', () => {
  const own = supportRules({ images: [], regions: ['Lab 1'] });
  assert.deepEqual(found({ vmRegion: 'lab1' }, own), []);
  assert.deepEqual(found({ vmRegion: 'lab1' }), ['refuse REQ-012'], 'and only there');
});

test('REQ-061: no vault, no encryption', () => {
  assert.deepEqual(found({ vaultGiven: false }), ['refuse REQ-061']);
  assert.deepEqual(found({ vaultGiven: true }), []);
});

test('REQ-062: one region for VM and vault; letter case and spaces do not count', () => {
  assert.deepEqual(found({ vmRegion: 'West US 2', vaultRegion: 'westus2' }), []);
  assert.deepEqual(found({ vmRegion: 'japaneast', vaultRegion: 'Japan West' }), ['refuse REQ-062']);
  assert.deepEqual(found({ vmRegion: 'japaneast' }), [], 'one of them unknown: not judged');
});

test('REQ-063: one subscription for VM and vault', () => {
  const id = 'aaaaaaaa-0000-0000-0000-000000000001';
  assert.deepEqual(found({ vmSubscription: id, vaultSubscription: `/subscriptions/${id.toUpperCase()}` }), []);
  assert.deepEqual(found({ vmSubscription: id, vaultSubscription: 'other' }), ['refuse REQ-063']);
});

test('REQ-062, REQ-063: both wrong gives both findings', () => {
  const facts = { vmRegion: 'eastus', vaultRegion: 'westus', vmSubscription: 'a', vaultSubscription: 'b' };
  assert.deepEqual(found(facts), ['refuse REQ-062', 'refuse REQ-063']);
});
