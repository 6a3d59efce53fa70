import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dueRotations, firstDue } from './due-rotations.ts';
import { assertPolicy, expiryOf, type PolicyRules } from './policy.ts';

const day = 86_400_000;
const now = Date.parse('2026-01-01T00:00:00Z');

const after = (action: 'Rotate' | 'Notify', timeAfterCreate: string) => ({
  action,
  timeAfterCreate,
  timeBeforeExpiry: null,
});
const before = (action: 'Rotate' | 'Notify', timeBeforeExpiry: string) => ({
  action,
  timeAfterCreate: null,
  timeBeforeExpiry,
});
const rules = (expiryTime: string | null, ...lifetimeActions: PolicyRules['lifetimeActions']): PolicyRules => ({
  lifetimeActions,
  expiryTime,
});

describe('the rules of a rotation policy (REQ-340)', () => {
  const right: Readonly<Record<string, PolicyRules>> = {
    'nothing at all': rules(null),
    'expiry after 28 days': rules('P28D'),
    'rotation after 7 days': rules(null, after('Rotate', 'P7D')),
    'rotation 7 days before expiry': rules('P28D', before('Rotate', 'P7D')),
    'rotation 21 days after creation, 7 before expiry': rules('P28D', after('Rotate', 'P21D')),
    'both actions': rules('P2Y', after('Rotate', 'P18M'), before('Notify', 'P30D')),
    'a notice without expiry, for versions that have one': rules(null, before('Notify', 'P30D')),
  };
  for (const [what, policy] of Object.entries(right)) it(`takes: ${what}`, () => assertPolicy(policy, now));

  const wrong: Readonly<Record<string, PolicyRules>> = {
    'expiry after 27 days': rules('P27D'),
    'rotation after 6 days': rules(null, after('Rotate', 'P6D')),
    'rotation after expiry': rules('P28D', after('Rotate', 'P29D')),
    'rotation 6 days before expiry': rules('P28D', before('Rotate', 'P6D')),
    'rotation 6 days after creation, from the end': rules('P28D', before('Rotate', 'P22D')),
    'rotation before an expiry that is not': rules(null, before('Rotate', 'P7D')),
    'a notice before creation': rules('P28D', before('Notify', 'P29D')),
    'a notice after creation': rules('P90D', after('Notify', 'P30D')),
    'two of a kind': rules('P90D', after('Rotate', 'P30D'), before('Rotate', 'P30D')),
    'both triggers': rules('P90D', { action: 'Rotate', timeAfterCreate: 'P30D', timeBeforeExpiry: 'P30D' }),
    'no trigger': rules('P90D', { action: 'Rotate', timeAfterCreate: null, timeBeforeExpiry: null }),
    'no duration': rules('90 days'),
    'no duration in an action': rules('P90D', after('Rotate', 'soon')),
  };
  for (const [what, policy] of Object.entries(wrong)) {
    it(`refuses: ${what}`, () => assert.throws(() => assertPolicy(policy, now), { code: 'KNK-KVT-0022' }));
  }

  it('gives new versions their expiry', () => {
    assert.equal(expiryOf(rules('P90D'), now), (now + 90 * day) / 1000);
    assert.equal(expiryOf(rules(null), now), null);
  });
});

describe('what is due', () => {
  const life = { created: now, expires: now + 90 * day };
  const full = rules('P90D', before('Rotate', 'P10D'), before('Notify', 'P20D'));

  for (const [what, policy, from, until, due, next] of [
    ['nothing yet', full, 0, 69, [], 70],
    ['the notice', full, 70, 70, ['KeyNearExpiry'], 80],
    ['the rotation', full, 80, 85, ['rotate'], 90],
    ['all after a long sleep', full, 70, 200, ['KeyNearExpiry', 'rotate', 'KeyExpired'], null],
    ['a notice 30 days before by default', undefined, 0, 61, ['KeyNearExpiry'], 90],
    ['the end', undefined, 90, 90, ['KeyExpired'], null],
    ['a rotation by age', rules(null, after('Rotate', 'P40D')), 0, 40, ['rotate'], 60],
  ] as const) {
    it(`is ${what}`, () => {
      const found = dueRotations(policy, life, now + from * day, now + until * day);
      assert.deepEqual(
        found.due.map((moment) => moment.what),
        due,
      );
      assert.equal(found.next, next === null ? null : now + next * day);
    });
  }

  it('begins with the first moment, without news of what is long over', () => {
    assert.equal(firstDue(full, life, now), now + 70 * day);
    assert.equal(firstDue(full, life, now + 89 * day), now + 70 * day);
    assert.equal(firstDue(undefined, life, now + 91 * day), null);
    assert.equal(firstDue(full, life, now + 91 * day), now + 80 * day);
    assert.equal(firstDue(undefined, { created: now, expires: null }, now), null);
  });
});
