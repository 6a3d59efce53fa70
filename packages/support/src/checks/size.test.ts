import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSupport } from '../check.ts';
import { findSize, supportRules } from '../rules/rules.ts';
import { checkSize } from './size.ts';

const rules = supportRules();

function found(size: string, extra = {}): string[] {
  return checkSize({ volumeType: 'DATA', size, ...extra }, rules).map(({ severity, rule }) => `${severity} ${rule}`);
}

function refusals(size: string, extra = {}): string[] {
  return found(size, extra).filter((finding) => finding.startsWith('refuse'));
}

test('REQ-018, REQ-019: of all 1558 sizes exactly Basic, A and Av2 are refused by their series', () => {
  const basic = [0, 1, 2, 3, 4].map((number) => `Basic_A${number}`);
  const first = Array.from({ length: 12 }, (_, number) => `Standard_A${number}`);
  const second = ['A1', 'A2', 'A2m', 'A4', 'A4m', 'A8', 'A8m'].map((name) => `Standard_${name}_v2`);
  for (const { name } of rules.sizes) {
    const expected = basic.includes(name)
      ? ['refuse REQ-018']
      : first.includes(name) || second.includes(name)
        ? ['refuse REQ-019']
        : [];
    assert.deepEqual(refusals(name), expected, name);
    assert.deepEqual(refusals(name.toLowerCase()), expected, `${name}: letter case does not count`);
  }
  const named = (name: string): boolean => findSize(rules, name) !== undefined;
  assert.ok([...basic, ...first, ...second].every(named), 'all of them are in the table');
});

test('REQ-019: sizes whose letter is not exactly A pass', () => {
  for (const size of ['Standard_DA4s_v5', 'Standard_EA2_v4', 'Standard_D2as_v5', 'Standard_E4ads_v5']) {
    assert.ok(!found(size).includes('refuse REQ-019'), size);
  }
});

test('REQ-014: every name of the table is known, and the table’s facts are found by it', () => {
  for (const { name, memoryMib } of rules.sizes)
    assert.equal(findSize(rules, name.toUpperCase())?.memoryMib, memoryMib);
});

test('REQ-014: an unknown size is reported as unknown and not silently supported', () => {
  for (const size of ['Standard_Z99_v9', 'D4s_v5', '', 'Standard_D4s_v5x']) {
    assert.deepEqual(refusals(size), ['refuse REQ-014'], size);
  }
  const findings = checkSupport({ volumeType: 'DATA', size: 'Standard_Z99' });
  assert.match(findings[0]?.message.en ?? '', /unknown/);
});

test('REQ-014: with the memory told, an unknown size is a warning and the memory is checked', () => {
  const facts = { volumeType: 'DATA', size: 'kvm-small' } as const;
  const rulesOf = (memoryMib: number): string[] =>
    checkSupport({ ...facts, memoryMib }).map(({ severity, rule }) => `${severity} ${rule}`);
  assert.deepEqual(rulesOf(2048), ['warn REQ-014']);
  assert.deepEqual(rulesOf(2047), ['refuse REQ-022', 'warn REQ-014']);
});

test('REQ-018: an unknown name that starts with Basic_ is refused for both reasons', () => {
  assert.deepEqual(refusals('Basic_B9'), ['refuse REQ-018', 'refuse REQ-014']);
});

test('REQ-015: every size takes the generations of the table and refuses the other', () => {
  for (const size of rules.sizes) {
    for (const generation of ['V1', 'V2'] as const) {
      const refused = refusals(size.name, { generation }).includes('refuse REQ-015');
      assert.equal(refused, !size.generations.includes(generation), `${size.name} ${generation}`);
    }
  }
});

test('REQ-015: where the generation is not told, an image that the size cannot run is a warning', () => {
  const gen1 = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts:latest';
  const onlyGen2 = rules.sizes.find((size) => size.generations.join() === 'V2')?.name ?? '';
  assert.ok(found(onlyGen2, { urn: gen1 }).includes('warn REQ-015'));
  assert.deepEqual(refusals(onlyGen2, { urn: gen1 }), []);
});

test('REQ-016: premium and standard storage both pass on every size that is not refused', () => {
  for (const size of rules.sizes) {
    assert.deepEqual(refusals(size.name, { premium: true }), refusals(size.name, { premium: false }), size.name);
    const warned = found(size.name, { premium: true }).includes('warn REQ-016');
    assert.equal(warned, !size.premiumIo, size.name);
  }
});

test('REQ-017: sizes without a temporary disk are supported, and the result explains their rules', () => {
  for (const size of rules.sizes) {
    const noted = found(size.name).includes('note REQ-017');
    assert.equal(noted, size.temporaryDiskMib === 0, size.name);
  }
  const [note] = checkSize({ volumeType: 'DATA', size: 'Standard_E4s_v5' }, rules);
  assert.match(note?.remedy.en ?? '', /https:.*azure-vms-no-temp-disk/);
});

test('REQ-073, REQ-293: newer exclusions are warnings and refuse nothing', () => {
  assert.ok(found('Standard_D2ads_v6').includes('warn REQ-073'));
  assert.ok(found('Standard_L8s_v3').includes('warn REQ-293'));
  for (const size of ['Standard_D2ads_v6', 'Standard_L8s_v3']) assert.deepEqual(refusals(size), [], size);
});

test('REQ-080: the number of cores plays no part', () => {
  const whole = found('Standard_E32s_v5');
  assert.deepEqual(found('Standard_E32-8s_v5'), whole);
});
