import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { languages } from '../language.ts';
import { catalogue, catalogueEntry, type ErrorCode } from './catalogue.ts';
import { hasCode, KannukiError } from './error.ts';
import { exitCodes } from './exit-codes.ts';

const codes = Object.keys(catalogue) as ErrorCode[];

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();
}

test('every code has the form KNK-AREA-NNNN', () => {
  for (const code of codes) assert.match(code, /^KNK-[A-Z]{3}-\d{4}$/);
});

test('every entry has message and remedy in every language', () => {
  for (const code of codes) {
    const entry = catalogueEntry(code);
    for (const text of [entry.message, entry.remedy]) {
      assert.deepEqual(Object.keys(text).sort(), [...languages].sort(), code);
      for (const language of languages) assert.match(text[language], /\S/, code);
    }
  }
});

test('both languages name the same details', () => {
  for (const code of codes) {
    const { message, remedy } = catalogueEntry(code);
    const [first, ...others] = languages.map((language) => [
      ...new Set(placeholders(`${message[language]} ${remedy[language]}`)),
    ]);
    for (const other of others) assert.deepEqual(other, first, code);
  }
});

test('Japanese text is Japanese', () => {
  for (const code of codes) {
    const { message, remedy } = catalogueEntry(code);
    assert.match(message.ja + remedy.ja, /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u, code);
  }
});

test('an error is one line: no line breaks, and no full stop before the remedy', () => {
  for (const code of codes) {
    const { message, remedy } = catalogueEntry(code);
    for (const language of languages) {
      assert.doesNotMatch(message[language] + remedy[language], /[\r\n]/, code);
      assert.doesNotMatch(message[language], /[.。]$/, code);
    }
  }
});

test('an HTTP status is an error status, and the exit name is in the table', () => {
  for (const code of codes) {
    const { http, exit } = catalogueEntry(code);
    assert.ok(http >= 400 && http <= 599, code);
    assert.ok(exit in exitCodes && exit !== 'done', code);
  }
});

test('each area has its own prefix, and no area file is left out of the catalogue', async () => {
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('-errors.ts'));
  const owners = new Map<string, string>();
  for (const file of files) {
    const area: Record<string, Record<string, unknown>> = await import(join(import.meta.dirname, file));
    for (const code of Object.values(area).flatMap((entries) => Object.keys(entries))) {
      assert.equal(owners.get(code), undefined, `${code} is in ${file} and in ${owners.get(code)}`);
      owners.set(code, file);
    }
  }
  assert.deepEqual([...owners.keys()].sort(), [...codes].sort());
  const prefixes = new Map([...owners].map(([code, file]) => [code.slice(0, 7), file]));
  for (const [code, file] of owners) assert.equal(prefixes.get(code.slice(0, 7)), file, code);
});

test('an error fills its details in both languages and leaves unknown ones visible', () => {
  const error = new KannukiError('KNK-CMD-0003', { details: { program: 'fsck', seconds: 5 } });
  assert.equal(error.describe('en'), 'fsck did not end within 5 s');
  assert.match(error.describe('ja'), /fsck が 5 秒以内/);
  assert.equal(error.message, 'KNK-CMD-0003: fsck did not end within 5 s');
  assert.equal(error.exitCode, exitCodes.failed);
  assert.match(new KannukiError('KNK-CMD-0002').describe('en'), /\{program\}/);
});

test('details cannot bring in further details', () => {
  const error = new KannukiError('KNK-CMD-0001', { details: { program: '{detail}', result: 'x', detail: 'y' } });
  assert.equal(error.describe('en'), '{detail} ended with x: y');
});

test('hasCode takes only ours and only this code', () => {
  const error = new KannukiError('KNK-CMD-0002');
  assert.equal(hasCode(error, 'KNK-CMD-0002'), true);
  assert.equal(hasCode(error, 'KNK-CMD-0001'), false);
  assert.equal(hasCode(Object.assign(new Error('no'), { code: 'KNK-CMD-0002' }), 'KNK-CMD-0002'), false);
});
