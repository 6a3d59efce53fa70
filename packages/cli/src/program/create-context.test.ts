import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import type { CommonValues } from './common-options.ts';
import type { Surroundings } from './context.ts';
import { createContext } from './create-context.ts';

const common: CommonValues = {
  output: undefined,
  query: undefined,
  progress: undefined,
  lang: undefined,
  yes: false,
  quiet: false,
  verbose: false,
  noColor: false,
};

function contextOf(options: Partial<CommonValues>, given: Partial<Surroundings> = {}) {
  const written = { stdout: '', stderr: '' };
  const context = createContext({ ...common, ...options }, 'en', {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    environment: {},
    now: () => 0,
    ask: undefined,
    interruption: () => assert.fail('nobody asked for the signal'),
    ...given,
  });
  return { context, written };
}

const question = { en: 'Erase it?', ja: '消去しますか?' };

test('confirm: --yes answers; without it a person does; where nobody can be asked it is a usage error', async () => {
  assert.equal(await contextOf({ yes: true }).context.confirm(question), true);
  const rows: [string, boolean][] = [
    ['yes', true],
    [' YES ', true],
    ['はい', true],
    ['y', false],
    ['', false],
    ['no', false],
  ];
  for (const [answer, expected] of rows) {
    const asked: string[] = [];
    const ask = (text: string): Promise<string> => {
      asked.push(text);
      return Promise.resolve(answer);
    };
    assert.equal(await contextOf({}, { ask }).context.confirm(question), expected, answer);
    assert.deepEqual(asked, ['Erase it? [yes/NO] ']);
  }
  await assert.rejects(contextOf({}).context.confirm(question), (error) => hasCode(error, 'KNK-CLI-0008'));
});

test('say and detail go to standard error, as --quiet and --verbose want it', () => {
  const speak = (options: Partial<CommonValues>): string => {
    const { context, written } = contextOf(options);
    context.say({ en: 'said', ja: '' });
    context.detail({ en: 'detail', ja: '' });
    assert.equal(written.stdout, '');
    return written.stderr;
  };
  assert.equal(speak({}), 'said\n');
  assert.equal(speak({ verbose: true }), 'said\ndetail\n');
  assert.equal(speak({ quiet: true }), '');
});

test('progress: lines for a file, a bar for a terminal, events where they were asked for, nothing when quiet', () => {
  const update = { volume: 'v', bytesDone: 1, bytesTotal: 2, bytesPerSecond: null, etaSeconds: null };
  const show = (options: Partial<CommonValues>, isTTY = false, environment = {}) => {
    const written = { stdout: '', stderr: '' };
    const { context } = contextOf(options, {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { isTTY, columns: 80, write: (text) => (written.stderr += text) },
      environment,
    });
    context.progress.update(update);
    return written;
  };
  assert.match(show({}).stderr, /^v: 50\.0%.*\n$/);
  assert.match(show({}, true).stderr, /^\r.*\[#+\.+\]/);
  assert.match(show({}, true, { TERM: 'dumb' }).stderr, /^v: 50/);
  assert.equal(show({ quiet: true }, true).stderr, '');
  assert.equal(show({ progress: 'none' }).stderr, '');
  const events = show({ progress: 'json', quiet: true }, true);
  assert.equal(JSON.parse(events.stdout).event, 'progress');
  assert.equal(events.stderr, '');
});

test('the signal is made only when a command reads it, so that Ctrl-C ends all others at once', () => {
  const { signal } = new AbortController();
  assert.equal(contextOf({}, { interruption: () => signal }).context.signal, signal);
});
