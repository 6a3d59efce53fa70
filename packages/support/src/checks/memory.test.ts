import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSupport } from '../check.ts';
import type { SupportFacts, VolumeType } from '../facts.ts';
import { supportRules } from '../rules/rules.ts';
import { checkMemory, memoryNeed } from './memory.ts';

const rules = supportRules();
const gib = 1024;

function refused(facts: SupportFacts): string[] {
  return checkMemory(facts, rules)
    .filter((finding) => finding.severity === 'refuse')
    .map((finding) => finding.rule);
}

test('REQ-022: data volumes need 2 GB, on every one of the 1558 sizes', () => {
  const tooSmall: string[] = [];
  for (const { name, memoryMib } of rules.sizes) {
    const rule = refused({ volumeType: 'DATA', size: name });
    assert.deepEqual(rule, memoryMib < 2 * gib ? ['REQ-022'] : [], name);
    if (rule.length > 0) tooSmall.push(name);
  }
  // Kept apart from the data on purpose.
  assert.deepEqual(tooSmall.sort(), [
    'Basic_A0',
    'Basic_A1',
    'Standard_A0',
    'Standard_A1',
    'Standard_B1ls',
    'Standard_B1s',
    'Standard_B2ats_v2',
    'Standard_B2pts_v2',
    'Standard_B2ts_v2',
  ]);
});

test('REQ-023, REQ-024: OS and ALL, on every size and for every boundary of the space used', () => {
  const needs = [
    { used: 0, gb: 8, rule: 'REQ-023' },
    { used: 3, gb: 8, rule: 'REQ-023' },
    { used: 4.0, gb: 8, rule: 'REQ-023' },
    { used: 4.01, gb: 8.02, rule: 'REQ-024' },
    { used: 5, gb: 10, rule: 'REQ-024' },
    { used: 16, gb: 32, rule: 'REQ-024' },
  ];
  for (const { name, memoryMib } of rules.sizes) {
    for (const { used, gb, rule } of needs) {
      for (const volumeType of ['OS', 'ALL'] as const) {
        const expected = memoryMib < gb * gib ? [rule] : [];
        const facts = { volumeType, size: name, rootUsedGb: used };
        assert.deepEqual(refused(facts), expected, `${name} ${volumeType} ${used}`);
      }
    }
  }
});

test('REQ-022, REQ-023, REQ-024: one MiB below each minimum is refused, the minimum itself is not', () => {
  const rows: [VolumeType, number | undefined, number][] = [
    ['DATA', undefined, 2 * gib],
    ['DATA', 100, 2 * gib],
    ['ALL', 4, 8 * gib],
    ['OS', 5, 10 * gib],
    ['ALL', 16, 32 * gib],
  ];
  for (const [volumeType, rootUsedGb, memoryMib] of rows) {
    assert.deepEqual(refused({ volumeType, rootUsedGb, memoryMib }), [], `${volumeType} ${rootUsedGb}`);
    assert.equal(
      refused({ volumeType, rootUsedGb, memoryMib: memoryMib - 1 }).length,
      1,
      `${volumeType} ${rootUsedGb}`,
    );
  }
});

test('REQ-023: the published examples by size name', () => {
  assert.deepEqual(refused({ volumeType: 'ALL', size: 'Standard_DS2_v2', rootUsedGb: 4 }), ['REQ-023']);
  assert.deepEqual(refused({ volumeType: 'ALL', size: 'Standard_D2s_v3', rootUsedGb: 4 }), []);
  assert.deepEqual(refused({ volumeType: 'ALL', size: 'Standard_D2s_v3', rootUsedGb: 5 }), ['REQ-024']);
  assert.deepEqual(refused({ volumeType: 'ALL', size: 'Standard_DS3_v2', rootUsedGb: 5 }), []);
});

test('REQ-020: a refusal gives the needed and the present memory', () => {
  const [finding] = checkMemory({ volumeType: 'ALL', size: 'Standard_DS2_v2', rootUsedGb: 16 }, rules);
  assert.match(finding?.message.en ?? '', /32 GB of memory are needed .*the VM has 7 GB/);
  assert.match(finding?.message.ja ?? '', /32 GB .*7 GB/);
});

test('REQ-025: the measure is the space used on /, so 3 GB used on a disk of 30 GB falls under the 8 GB rule', () => {
  assert.equal(memoryNeed({ volumeType: 'ALL', rootUsedGb: 3 }, rules)?.gb, 8);
});

test('REQ-024: where the space used is not known, 8 GB are the least and the limit is told', () => {
  assert.deepEqual(refused({ volumeType: 'ALL', memoryMib: 7 * gib }), ['REQ-023']);
  const [note] = checkMemory({ volumeType: 'ALL', memoryMib: 16 * gib }, rules);
  assert.equal(note?.severity, 'note');
  assert.match(note?.message.en ?? '', /up to 8 GB/);
});

test('REQ-026: once the OS volume is encrypted only the data rule holds', () => {
  const after = { osState: 'Encrypted', rootUsedGb: 16 } as const;
  assert.deepEqual(refused({ ...after, volumeType: 'DATA', memoryMib: 2 * gib }), []);
  assert.deepEqual(refused({ ...after, volumeType: 'DATA', memoryMib: gib }), ['REQ-022']);
  assert.deepEqual(refused({ ...after, volumeType: 'ALL', memoryMib: 2 * gib }), []);
  assert.deepEqual(refused({ ...after, volumeType: 'OS', memoryMib: 512 }), []);
});

test('REQ-026: while the OS volume is being encrypted its minimum holds, whatever else is asked for', () => {
  for (const volumeType of ['OS', 'DATA', 'ALL'] as const) {
    const facts = { volumeType, osState: 'EncryptionInProgress', rootUsedGb: 3 };
    assert.deepEqual(refused({ ...facts, memoryMib: 4 * gib }), ['REQ-026'], volumeType);
    assert.deepEqual(refused({ ...facts, memoryMib: 8 * gib }), [], volumeType);
  }
});

test('REQ-021: a refusal from any list names its rule, and all of them are listed', () => {
  const findings = checkSupport({
    volumeType: 'ALL',
    urn: 'SUSE:SLES:12-SP4:latest',
    size: 'Basic_A1',
    rootUsedGb: 5,
    date: '2026-01-01',
    vaultGiven: false,
    kekKind: 'EC',
  });
  const refusals = findings.filter((finding) => finding.severity === 'refuse').map((finding) => finding.rule);
  assert.deepEqual(refusals.sort(), ['REQ-018', 'REQ-024', 'REQ-030', 'REQ-035', 'REQ-061', 'REQ-068']);
});
