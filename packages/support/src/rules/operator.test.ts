import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode, isRefused } from '@kannuki/core';
import { checkSupport } from '../check.ts';
import { parseSupportAdditions } from './operator.ts';
import { supportRules } from './rules.ts';

const debian = { urn: 'Debian:debian-12:12:latest', volumes: 'os-and-data', reason: 'built and tested by us' };

test('an operator’s image is supported, and the check says who vouches for it', () => {
  const rules = supportRules(parseSupportAdditions({ images: [debian] }));
  for (const urn of ['Debian:debian-12:12:latest', 'debian:Debian-12:12:0.20241201.1']) {
    const findings = checkSupport({ volumeType: 'ALL', urn, date: '2030-01-01' }, rules);
    assert.equal(isRefused(findings), false);
    assert.deepEqual(
      findings.map(({ rule, severity }) => [rule, severity]),
      [['REQ-081', 'note']],
    );
    assert.match(findings[0]?.message.ja ?? '', /built and tested by us/);
  }
  assert.ok(isRefused(checkSupport({ volumeType: 'ALL', urn: debian.urn })), 'without the configuration: refused');
});

test('an operator’s image keeps to its volumes, its version and its end of life', () => {
  const image = { ...debian, urn: 'Debian:debian-12:12:1.0', volumes: 'data-only', endOfLife: '2028-06-30' };
  const rules = supportRules(parseSupportAdditions({ images: [image] }));
  const refusals = (urn: string, volumeType: 'ALL' | 'DATA', date: string): string[] =>
    checkSupport({ volumeType, urn, date }, rules)
      .filter((finding) => finding.severity === 'refuse')
      .map((finding) => finding.rule);
  assert.deepEqual(refusals(image.urn, 'DATA', '2028-06-30'), []);
  assert.deepEqual(refusals(image.urn, 'DATA', '2028-07-01'), ['REQ-035']);
  assert.deepEqual(refusals(image.urn, 'ALL', '2028-06-30'), ['REQ-030']);
  assert.deepEqual(refusals('Debian:debian-12:12:2.0', 'DATA', '2028-06-30'), ['REQ-028']);
});

test('an operator may vouch for a custom image by its id, and for a row whose publisher has let go of it', () => {
  const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/golden';
  const centos = 'OpenLogic:CentOS:7_9:latest';
  const images = [
    { ...debian, urn: id },
    { ...debian, urn: centos },
  ];
  const rules = supportRules(parseSupportAdditions({ images }));
  for (const urn of [id, id.toUpperCase(), centos]) {
    assert.equal(isRefused(checkSupport({ volumeType: 'ALL', urn, date: '2026-11-23' }, rules)), false, urn);
  }
  assert.ok(isRefused(checkSupport({ volumeType: 'ALL', urn: `${id}2` }, rules)));
});

test('a wrong configuration is refused and the field is named', () => {
  const rows: [unknown, string][] = [
    [{ images: {} }, 'configuration.images'],
    [{ images: [{ ...debian, urn: 'debian' }] }, 'configuration.images[0].urn'],
    [{ images: [debian, { ...debian, volumes: 'all' }] }, 'configuration.images[1].volumes'],
    [{ images: [{ ...debian, reason: ' ' }] }, 'configuration.images[0].reason'],
    [{ images: [{ urn: debian.urn, volumes: debian.volumes }] }, 'configuration.images[0].reason'],
    [{ images: [{ ...debian, endOfLife: '2028-02-30' }] }, 'configuration.images[0].endOfLife'],
    [{ images: [{ ...debian, volume: 'x' }] }, 'configuration.images[0].volume'],
    [{ images: ['Debian:debian-12:12:latest'] }, 'configuration.images[0]'],
    [{ regions: [''] }, 'configuration.regions[0]'],
    [[], 'configuration'],
    [null, 'configuration'],
  ];
  for (const [value, where] of rows) {
    assert.throws(
      () => parseSupportAdditions(value),
      (error) => hasCode(error, 'KNK-SUP-0001') && error.details.where === where && error.exitCode === 78,
      where,
    );
  }
});

test('keys of other parts are not looked at', () => {
  assert.deepEqual(parseSupportAdditions({ server: { listen: ':8443' } }), { images: [], regions: [] });
});
