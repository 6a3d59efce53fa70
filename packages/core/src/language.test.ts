import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefused, renderFinding } from './finding.ts';
import { languageOf } from './language.ts';

test('Japanese for Japanese locales, English for all others', () => {
  for (const locale of ['ja', 'ja_JP', 'ja_JP.UTF-8', 'JA_jp.eucJP', 'ja-JP', 'ja@x'])
    assert.equal(languageOf(locale), 'ja');
  for (const locale of [undefined, '', 'C', 'C.UTF-8', 'en_GB', 'jam', 'jav_ID', 'de_DE']) {
    assert.equal(languageOf(locale), 'en', String(locale));
  }
});

test('a finding in one language, and what refuses', () => {
  const finding = {
    rule: 'REQ-022',
    severity: 'warn',
    subject: '/data0',
    message: { en: 'm', ja: 'メ' },
    remedy: { en: 'r', ja: '対' },
  } as const;
  assert.deepEqual(renderFinding(finding, 'ja'), {
    rule: 'REQ-022',
    severity: 'warn',
    subject: '/data0',
    message: 'メ',
    remedy: '対',
  });
  assert.equal(isRefused([finding]), false);
  assert.equal(isRefused([finding, { ...finding, severity: 'refuse' }]), true);
});
