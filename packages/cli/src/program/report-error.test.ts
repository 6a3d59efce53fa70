import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KannukiError } from '@kannuki/core';
import { reportError } from './report-error.ts';

function report(thrown: unknown, format: 'json' | 'table', verbose = false) {
  const written = { stdout: '', stderr: '' };
  const exitCode = reportError(thrown, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    language: 'en',
    format,
    verbose,
    compact: false,
  });
  return { exitCode, ...written };
}

const finding = {
  rule: 'REQ-042',
  severity: 'refuse',
  subject: '/data0',
  message: { en: 'no nofail', ja: 'nofail がありません' },
  remedy: { en: 'add it', ja: '追加してください' },
} as const;

test('findings of a refusal go to standard output, as JSON or as a table', () => {
  const error = new KannukiError('KNK-CLI-0008', { details: { question: 'go on?' }, findings: [finding] });
  const json = JSON.parse(report(error, 'json').stdout);
  assert.deepEqual(json.findings, [{ ...finding, message: 'no nofail', remedy: 'add it' }]);
  assert.equal(json.error.code, 'KNK-CLI-0008');
  assert.match(report(error, 'table').stdout, /refuse {4}REQ-042 {2}\/data0 {3}no nofail {2}add it/);
});

test('what is not ours is a bug: a trace id, the calls, and exit code 1', () => {
  const thrown = new TypeError('x is not a function');
  const { exitCode, stderr, stdout } = report(thrown, 'json');
  assert.equal(exitCode, 1);
  assert.match(stderr, /^kannuki: error KNK-CLI-0007: .*trace [0-9a-f]{32}.*TypeError: x is not a function/);
  assert.match(stderr, /\n\s+at .*report-error\.test\.ts/);
  assert.match(JSON.parse(stdout).error.details.trace, /^[0-9a-f]{32}$/);
});

test('anything may be thrown', () => {
  for (const thrown of [undefined, null, 'text', 7, {}, Symbol('s')]) assert.equal(report(thrown, 'table').exitCode, 1);
});

test('a message cannot write over the terminal', () => {
  const error = new KannukiError('KNK-CLI-0002', {
    details: { word: '\u001b[2J\nkannuki: fake', hint: '', command: 'k' },
  });
  const { stderr } = report(error, 'table');
  assert.equal(stderr.split('\n').length, 2);
  assert.ok(!stderr.includes('\u001b'));
});

test('--verbose tells the causes', () => {
  const error = new KannukiError('KNK-CMD-0002', { details: { program: 'x' }, cause: new Error('spawn x ENOENT') });
  assert.doesNotMatch(report(error, 'table').stderr, /ENOENT/);
  assert.match(report(error, 'table', true).stderr, /because: spawn x ENOENT/);
});
