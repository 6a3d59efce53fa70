import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languages } from '@kannuki/core';
import { encryptionAlerts } from './alert.ts';
import { checkSupport } from './check.ts';
import type { SupportFacts } from './facts.ts';
import { costNotice, purpose } from './notices.ts';
import { checkResize } from './resize.ts';

const good = {
  volumeType: 'ALL',
  urn: 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest',
  size: 'Standard_D4ds_v5',
  generation: 'V2',
  rootUsedGb: 3,
  date: '2026-11-23',
  vmRegion: 'japaneast',
  vaultRegion: 'Japan East',
  vaultGiven: true,
  kekKind: 'RSA',
  kekBits: 2048,
} as const satisfies SupportFacts;

/** Facts that raise every finding that there is, one by one. */
const bad: readonly SupportFacts[] = [
  { ...good, target: 'uniform-scale-set' },
  { ...good, urn: 'OpenLogic:CentOS:6.8:latest', generation: 'V1' },
  { ...good, urn: 'Debian:debian-12:12:latest' },
  { ...good, urn: 'Contoso:x:y:latest' },
  { ...good, urn: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/i' },
  { ...good, urn: 'nonsense' },
  { ...good, urn: 'RedHat:RHEL:7-LVM:latest', method: 'legacy' },
  { ...good, urn: 'MicrosoftCBLMariner:cbl-mariner:cbl-mariner-2:2.20220101.1' },
  { ...good, urn: 'RedHat:rhel-byos:rhel-lvm88:latest' },
  { ...good, size: 'Basic_A0', premium: true },
  { ...good, size: 'Standard_A1_v2' },
  { ...good, size: 'Standard_L8s_v3' },
  { ...good, size: 'Standard_D2s_v6', generation: 'V1' },
  { ...good, size: 'unheard-of' },
  { ...good, size: 'unheard-of', memoryMib: 1024, osState: 'EncryptionInProgress' },
  { ...good, volumeType: 'DATA', size: 'Standard_B1s' },
  { ...good, rootUsedGb: undefined },
  { ...good, rootUsedGb: 64, encryptedBy: 'legacy' },
  { ...good, subscriptionState: 'Deleted', vmRegion: 'nowhere', vaultGiven: false },
  { ...good, subscriptionState: 'Warned', vmSubscription: 'a', vaultSubscription: 'b' },
  { ...good, kekKind: 'EC' },
  { ...good, kekBits: 1024 },
];

test('a VM that meets every rule has no findings', () => {
  assert.deepEqual(checkSupport(good), []);
});

test('REQ-002: single VMs and flexible scale sets are the same; uniform ones take data disks only', () => {
  for (const volumeType of ['OS', 'DATA', 'ALL'] as const) {
    const facts = { ...good, volumeType };
    assert.deepEqual(checkSupport({ ...facts, target: 'vm' }), []);
    assert.deepEqual(checkSupport({ ...facts, target: 'flexible-scale-set' }), []);
    const uniform = checkSupport({ ...facts, target: 'uniform-scale-set' });
    assert.equal(uniform.length, volumeType === 'DATA' ? 0 : 1);
  }
});

test('REQ-004: the volume types OS, DATA and ALL are all taken', () => {
  for (const volumeType of ['OS', 'DATA', 'ALL'] as const) assert.deepEqual(checkSupport({ ...good, volumeType }), []);
});

test('REQ-006: the zone changes nothing', () => {
  for (const facts of [good, ...bad]) {
    const unzoned = checkSupport(facts);
    for (const zone of ['1', '2', '3']) assert.deepEqual(checkSupport({ ...facts, zone }), unzoned);
  }
});

test('REQ-007, REQ-008, REQ-009, REQ-011: exactly one alert of severity High for each VM that is not encrypted', () => {
  const alerts = encryptionAlerts([
    { vm: 'vm-1', encrypted: false },
    { vm: 'vm-2', encrypted: true },
    { vm: 'vm-3', encrypted: false },
  ]);
  assert.deepEqual(
    alerts.map(({ vm, severity }) => [vm, severity]),
    [
      ['vm-1', 'High'],
      ['vm-3', 'High'],
    ],
  );
  for (const alert of alerts) {
    assert.notEqual(alert.title.en, '');
    assert.match(alert.recommendation.en, /encrypt the disks/);
    assert.equal(alert.costNotice, costNotice);
  }
  assert.deepEqual(encryptionAlerts([{ vm: 'vm-1', encrypted: true }]), [], 'encrypting clears it');
});

test('REQ-003, REQ-011: the standing texts say what they must', () => {
  assert.match(purpose.en, /security and compliance commitments/);
  assert.match(costNotice.en, /data, network or compute use.*licence or subscription cost/);
});

test('REQ-026: resize to less memory after the OS volume is encrypted, not while it is', () => {
  const resize = { fromSize: 'Standard_D4s_v5', toSize: 'Standard_B2s', rootUsedGb: 3 };
  const rulesOf = (osState: string, toSize = 'Standard_D2s_v5'): string[] =>
    checkResize({ ...resize, toSize, osState })
      .filter((finding) => finding.severity === 'refuse')
      .map((finding) => finding.rule);
  assert.deepEqual(rulesOf('Encrypted'), []);
  assert.deepEqual(rulesOf('Encrypted', 'Standard_E2s_v5'), []);
  assert.deepEqual(rulesOf('Encrypted', 'Standard_B2ats_v2'), [], 'even 1 GB');
  assert.deepEqual(rulesOf('EncryptionInProgress', 'Standard_B2als_v2'), ['REQ-026']);
  assert.deepEqual(rulesOf('Encrypted', 'Standard_A2_v2'), ['REQ-019', 'REQ-077'], 'never to the A-series');
  assert.deepEqual(rulesOf('Encrypted', 'Standard_D2ds_v5'), ['REQ-077'], 'never to a size with a temporary disk');
});

test('every finding has a rule, a subject, and message and remedy in every language', () => {
  const seen = new Set<string>();
  for (const facts of bad) {
    const findings = checkSupport(facts);
    assert.ok(findings.length > 0);
    for (const finding of findings) {
      seen.add(finding.rule);
      assert.match(finding.rule, /^REQ-\d{3}$/);
      assert.notEqual(finding.subject, '');
      for (const language of languages) {
        assert.ok(finding.message[language].length > 5, finding.rule);
        assert.ok(finding.remedy[language].length > 3, finding.rule);
        assert.doesNotMatch(finding.message[language] + finding.remedy[language], /undefined|NaN|\[object/);
      }
      assert.notEqual(finding.message.en, finding.message.ja);
    }
    const severities = findings.map((finding) => ['refuse', 'warn', 'note'].indexOf(finding.severity));
    assert.deepEqual(
      severities,
      severities.toSorted((left, right) => left - right),
      'refusals first',
    );
  }
  const expected =
    '001 012 014 015 016 017 018 019 022 024 026 028 029 030 031 032 034 035 036 037 061 063 068 073 081 276 293';
  for (const number of expected.split(' '))
    assert.ok(seen.has(`REQ-${number}`), `REQ-${number} is raised by this list`);
});

test('findings are the same for the same facts, and the facts are left alone', () => {
  for (const facts of bad) {
    const frozen = Object.freeze({ ...facts });
    assert.deepEqual(checkSupport(frozen), checkSupport(frozen));
  }
});
