import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Case, check, testAccepted, testCases } from './testing/cases.ts';
import { healthyVm } from './testing/vm.ts';

testCases([
  { what: 'no cryptsetup', facts: { cryptsetup: null }, rule: 'REQ-258', subject: 'cryptsetup', says: /not installed/ },
  {
    what: 'an unknown cryptsetup',
    facts: { cryptsetup: { version: null, packageVersion: null } },
    rule: 'REQ-258',
    subject: 'cryptsetup',
    says: /nobody knows/,
  },
  ...(
    [
      [2, 3, 7],
      [2, 7, 0],
      [2, 7, 4],
    ] as const
  ).map(
    (version): Case => ({
      what: `cryptsetup ${version.join('.')}`,
      facts: { cryptsetup: { version, packageVersion: `${version.join('.')}-1` } },
      rule: 'REQ-258',
      subject: 'cryptsetup',
      says: /cryptsetup 2\./,
    }),
  ),
]);

testAccepted({
  'cryptsetup 2.7.5': { cryptsetup: { version: [2, 7, 5], packageVersion: '2:2.7.5-2' } },
  'cryptsetup 2.7.2 of RHEL 9 with the fix': {
    cryptsetup: { version: [2, 7, 2], packageVersion: '2.7.2-3.el9_5.1' },
  },
});

test('cryptsetup 2.7.2-1 of RHEL 9 has not the fix', () => {
  const findings = check(healthyVm({ cryptsetup: { version: [2, 7, 2], packageVersion: '2.7.2-1.el9' } }));
  assert.deepEqual(
    findings.map(({ rule }) => rule),
    ['REQ-258'],
  );
});
