import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefused } from '@kannuki/core';
import { checkSupport } from '../check.ts';
import { type SupportFacts, volumeTypes } from '../facts.ts';
import { endOfLifeOf } from '../images/end-of-life.ts';
import type { SupportedImage } from '../images/image.ts';
import { standingOf } from '../images/standing.ts';
import { supportRules } from '../rules/rules.ts';

const rules = supportRules();
const jammy = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts:latest';

/** Kept apart from the data on purpose: the rows that the article marks as data disks only. */
const dataOnly = [
  'OpenLogic:CentOS:6.8:latest',
  'RedHat:RHEL:6.8:latest',
  'RedHat:RHEL:6.7:latest',
  'SUSE:openSUSE-Leap:42.3:latest',
  'SUSE:SLES:12-SP4:latest',
  'SUSE:SLES-HPC:12-SP3:latest',
];

function nameOf(image: SupportedImage): string {
  const { publisher, offer, sku, version } = image.urn;
  return [publisher, offer, sku, version].join(':');
}

function refusals(facts: Partial<SupportFacts>): string[] {
  return checkSupport({ volumeType: 'DATA', ...facts })
    .filter((finding) => finding.severity === 'refuse')
    .map((finding) => finding.rule);
}

test('REQ-029, REQ-030: every row, every volume type', () => {
  let dataOnlyRows = 0;
  for (const image of rules.images) {
    const urn = nameOf(image);
    const onlyData = dataOnly.includes(urn);
    if (onlyData) dataOnlyRows += 1;
    for (const volumeType of volumeTypes) {
      const expected = onlyData && volumeType !== 'DATA' ? ['REQ-030'] : [];
      assert.deepEqual(refusals({ urn, volumeType }), expected, `${urn} ${volumeType}`);
      assert.deepEqual(refusals({ urn: urn.toUpperCase(), volumeType }), expected, 'letter case does not count');
    }
  }
  assert.equal(dataOnlyRows, 6);
});

test('REQ-001: a notice on the 12 OpenLogic rows and on no other, and never a refusal', () => {
  let notices = 0;
  for (const image of rules.images) {
    const findings = checkSupport({ volumeType: 'DATA', urn: nameOf(image) });
    const found = findings.filter((finding) => finding.rule === 'REQ-001');
    assert.equal(found.length, image.urn.publisher === 'OpenLogic' ? 1 : 0, nameOf(image));
    if (found.length === 0) continue;
    notices += 1;
    assert.equal(isRefused(findings), false);
    assert.match(found[0]?.remedy.en ?? '', /https:.*centos-end-of-life/);
  }
  assert.equal(notices, 12);
});

test('REQ-015: both generations pass, and the image must be of the VM’s generation', () => {
  const gen2 = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest';
  const size = 'Standard_D4s_v5';
  assert.deepEqual(refusals({ urn: jammy, size, generation: 'V1' }), []);
  assert.deepEqual(refusals({ urn: gen2, size, generation: 'V2' }), []);
  for (const image of rules.images) {
    const other = image.generation === 'V1' ? 'V2' : 'V1';
    assert.deepEqual(refusals({ urn: nameOf(image), generation: other }), ['REQ-015'], nameOf(image));
    const isGen2 = /gen2/i.test(image.urn.sku);
    assert.equal(image.generation, isGen2 ? 'V2' : 'V1', nameOf(image));
  }
});

test('REQ-027: three answers', () => {
  assert.equal(standingOf(jammy, rules).answer, 'supported');
  assert.equal(standingOf('Debian:debian-12:12:latest', rules).answer, 'endorsed-not-supported');
  assert.equal(standingOf('Contoso:contoso-linux:1:latest', rules).answer, 'not-endorsed');
});

test('REQ-027: what is supported is endorsed', () => {
  for (const image of rules.images) {
    const without = { ...rules, images: [] };
    assert.equal(standingOf(nameOf(image), without).answer, 'endorsed-not-supported', nameOf(image));
  }
});

test('REQ-028: endorsed but not in the table, and not endorsed: refused, each with its own reason', () => {
  const endorsed = checkSupport({ volumeType: 'DATA', urn: 'Canonical:ubuntu-25_04:server:latest' });
  const stranger = checkSupport({ volumeType: 'DATA', urn: 'Contoso:contoso-linux:1:latest' });
  for (const findings of [endorsed, stranger]) {
    assert.deepEqual(
      findings.map(({ rule, severity }) => [rule, severity]),
      [['REQ-028', 'refuse']],
    );
  }
  assert.match(endorsed[0]?.message.en ?? '', /Ubuntu.* is endorsed, but/);
  assert.match(stranger[0]?.message.en ?? '', /not of an endorsed distribution/);
});

test('REQ-029: what is no URN is refused, not misread', () => {
  for (const urn of ['', 'ubuntu', 'a:b:c', 'a:b:c:d:e', 'a:b:c:', 'a b:c:d:e', `${'x'.repeat(200)}:b:c:d`]) {
    assert.deepEqual(refusals({ urn }), ['REQ-029'], urn);
  }
});

test('REQ-081: custom images are refused by default', () => {
  const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/x/images/y/versions/1.0.0';
  assert.deepEqual(refusals({ urn: id }), ['REQ-081']);
});

test('REQ-031: the two pinned versions, and no other version of these SKUs', () => {
  const pinned = ['OpenLogic:CentOS-LVM:7-LVM:7.9.2021020400', 'RedHat:RHEL:7-LVM:7.9.2020111202'];
  assert.deepEqual(rules.images.filter((image) => image.urn.version !== 'latest').map(nameOf), pinned);
  for (const urn of pinned) {
    const version = urn.split(':')[3] ?? '';
    assert.deepEqual(refusals({ urn }), []);
    for (const other of ['latest', '7.9.2022020202']) {
      const findings = checkSupport({ volumeType: 'DATA', urn: urn.replace(version, other) });
      const refusal = findings.find((finding) => finding.severity === 'refuse');
      assert.equal(refusal?.rule, 'REQ-031');
      assert.ok(refusal?.message.en.includes(version), 'says which version is supported');
    }
  }
});

test('REQ-031: any version of a row that says latest counts', () => {
  assert.deepEqual(refusals({ urn: 'RedHat:RHEL:8_6:8.6.2022050414' }), []);
});

test('REQ-032: CBL-Mariner from May 2023 on', () => {
  for (const sku of ['cbl-mariner-2', 'cbl-mariner-2-gen2']) {
    const of = (version: string): string[] => refusals({ urn: `MicrosoftCBLMariner:cbl-mariner:${sku}:${version}` });
    for (const good of ['latest', '2023.05.01', '2.20230526.02', '2.20231004.01', '2024.01.15', '2.0.20240301']) {
      assert.deepEqual(of(good), [], good);
    }
    for (const bad of ['2023.04.30', '2.20230426.01', '2022.12.01', '2.0.0'])
      assert.deepEqual(of(bad), ['REQ-032'], bad);
  }
  const findings = checkSupport({
    volumeType: 'DATA',
    urn: 'MicrosoftCBLMariner:cbl-mariner:cbl-mariner-2:2.20230426.01',
  });
  assert.match(findings[0]?.message.en ?? '', /2023-05/);
});

test('REQ-033: RHEL 7 pay-as-you-go with the present method takes OS, DATA and ALL', () => {
  const rows = rules.images.filter((image) => image.distribution === 'RHEL' && image.release.startsWith('7.'));
  assert.deepEqual(rows.map((row) => row.release).sort(), ['7.4', '7.5', '7.6', '7.7', '7.8', '7.9', '7.9']);
  for (const row of rows) {
    for (const volumeType of volumeTypes)
      assert.deepEqual(refusals({ urn: nameOf(row), volumeType, method: 'new' }), []);
  }
});

test('REQ-034: RHEL bring-your-own-subscription images, once registered', () => {
  for (const sku of [
    'rhel-lvm79',
    'rhel-raw76',
    'rhel-lvm88',
    'rhel-lvm88-gen2',
    'rhel-lvm8',
    'rhel-lvm92',
    'rhel-lvm810',
  ]) {
    const urn = `RedHat:rhel-byos:${sku}:latest`;
    assert.deepEqual(refusals({ urn, volumeType: 'ALL', byosRegistered: true }), [], sku);
    assert.deepEqual(refusals({ urn, volumeType: 'ALL', byosRegistered: false }), ['REQ-034'], sku);
    assert.deepEqual(refusals({ urn, volumeType: 'ALL' }), ['REQ-034'], `${sku}: not told = not registered`);
  }
  const findings = checkSupport({ volumeType: 'DATA', urn: 'redhat:RHEL-BYOS:rhel-lvm86:8.6.2022053013' });
  assert.match(findings[0]?.remedy.en ?? '', /register the subscription first/);
  assert.deepEqual(refusals({ urn: 'RedHat:rhel-byos:rhel-lvm68:latest', volumeType: 'OS', byosRegistered: true }), [
    'REQ-030',
  ]);
  assert.deepEqual(refusals({ urn: 'RedHat:rhel-byos:rhel-lvm73:latest', byosRegistered: true }), ['REQ-028']);
  assert.deepEqual(refusals({ urn: 'RedHat:rhel-byos:rhel-sap86:latest', byosRegistered: true }), ['REQ-028']);
});

test('REQ-035: every row is supported up to its publisher’s last day and not after it', () => {
  for (const image of rules.images) {
    const urn = nameOf(image);
    const last = endOfLifeOf(image, rules)?.endOfLife ?? '';
    const next = new Date(Date.parse(last) + 86_400_000).toISOString().slice(0, 10);
    assert.deepEqual(refusals({ urn, date: '2017-01-01' }), [], urn);
    assert.deepEqual(refusals({ urn, date: last }), [], urn);
    assert.deepEqual(refusals({ urn, date: next }), ['REQ-035'], urn);
    assert.deepEqual(refusals({ urn }), [], 'no date, no judgement');
  }
});

test('REQ-035: known days', () => {
  const day = (urn: string): string | undefined => {
    const standing = standingOf(urn, rules);
    if (standing.answer !== 'supported' || standing.by !== 'table') return undefined;
    return endOfLifeOf(standing.image, rules)?.endOfLife;
  };
  assert.equal(day('OpenLogic:CentOS:7_9:latest'), '2024-06-30');
  assert.equal(day('OpenLogic:CentOS:8_4:latest'), '2021-12-31');
  assert.equal(day('RedHat:RHEL:8.1:latest'), '2029-05-31');
  assert.equal(day('RedHat:rhel-byos:rhel-lvm79:latest'), '2024-06-30');
  assert.equal(day('SUSE:SLES:12-SP4:latest'), '2020-06-30');
});
