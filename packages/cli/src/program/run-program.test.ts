import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { commandTable } from '../commands/registry.ts';
import { runInProcess, runKannuki } from '../testing/run-kannuki.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-cli-'));
after(() => rmSync(folder, { recursive: true }));

const jammy = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest';
const check = ['support', 'check', '--urn', jammy, '--size', 'Standard_D4ds_v5'];

test('--version is one line, and comes fast', async () => {
  const started = performance.now();
  const { exitCode, stdout, stderr } = await runKannuki(['--version']);
  assert.deepEqual([exitCode, stderr], [0, '']);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  // 0.25 s on a free machine; the limit only catches that all commands are loaded.
  assert.ok(performance.now() - started < 3000);
});

test('REQ-003, REQ-071: the program’s help has the purpose and ends with next steps', async () => {
  for (const args of [[], ['--help'], ['help']]) {
    const { exitCode, stdout } = await runKannuki(args);
    assert.equal(exitCode, 0);
    assert.match(stdout.replace(/\s+/g, ' '), /meet its security and compliance commitments/);
    assert.match(stdout, /\bsupport\b/);
    assert.match(stdout, /Next steps:/);
  }
});

test('REQ-011: the check’s help has the cost notice', async () => {
  const { stdout } = await runInProcess(['help', 'support', 'check']);
  assert.match(stdout.replace(/\s+/g, ' '), /may raise data, network or compute use/);
});

test('every command of the table has help with an example, in both languages', async () => {
  assert.ok(commandTable.length >= 3);
  for (const entry of commandTable) {
    const command = await entry.load();
    assert.ok(command.examples.length > 0, entry.path);
    for (const { line, does } of command.examples) {
      assert.ok(line.includes('kannuki '), entry.path);
      assert.ok(does.en !== '' && does.ja !== '', entry.path);
    }
    for (const option of Object.values(command.options)) assert.ok(option.help.en !== '' && option.help.ja !== '');
  }
});

test('help of a command as users see it, in English and Japanese', async () => {
  const english = await runInProcess(['support', 'check', '--help']);
  assert.equal(english.exitCode, 0);
  for (const part of [
    /Usage: kannuki support check/,
    /--root-used-gb <N>/,
    /Examples:/,
    /--output <json\|table\|tsv>/,
  ]) {
    assert.match(english.stdout, part);
  }
  const japanese = await runInProcess(['support', 'check', '--help'], { LANG: 'ja_JP.UTF-8' });
  for (const part of [/使い方: kannuki support check/, /オプション:/, /例:/]) assert.match(japanese.stdout, part);
});

test('a group alone shows what is below it and is a usage error; its --help is not', async () => {
  const alone = await runInProcess(['support']);
  assert.equal(alone.exitCode, 2);
  assert.match(alone.stdout, /check/);
  assert.equal((await runInProcess(['support', '--help'])).exitCode, 0);
});

test('usage errors: one line, exit code 2, no help dump', async () => {
  const rows: [string[], RegExp][] = [
    [[...check, '--rot-used-gb', '1'], /KNK-CLI-0001: unknown option --rot-used-gb \(--root-used-gb\?\)/],
    [['suport'], /KNK-CLI-0002: unknown command suport \(support\?\)/],
    [['support', 'chek'], /KNK-CLI-0002: unknown command chek \(check\?\)/],
    [['support', 'check', '--urn', jammy], /KNK-CLI-0003: --size <SIZE> is missing/],
    [[...check, '--root-used-gb'], /KNK-CLI-0003: --root-used-gb <N> is missing/],
    [[...check, '--root-used-gb', 'much'], /KNK-CLI-0004: --root-used-gb <N> has the value "much"/],
    [[...check, '--root-used-gb', '-1'], /KNK-CLI-0004/],
    [[...check, '--date', '2026-02-30'], /KNK-CLI-0004.*YYYY-MM-DD/],
    [[...check, '--volume-type', 'SOME'], /KNK-CLI-0004.*one of OS, DATA, ALL/],
    [[...check, '-o', 'xml'], /KNK-CLI-0004.*one of json, table, tsv/],
    [[...check, 'more', 'words'], /KNK-CLI-0010: arguments too many: 2;/],
    [[...check, '--rot-used-gb=1'], /KNK-CLI-0001: unknown option --rot-used-gb[; ]/],
    [[...check, '--query', '[?'], /KNK-CLI-0006/],
  ];
  for (const [args, expected] of rows) {
    const { exitCode, stderr } = await runInProcess(args);
    assert.equal(exitCode, 2, args.join(' '));
    assert.match(stderr, expected);
    assert.match(stderr, /^kannuki: error KNK-[^\n]*; [^\n]*\n$/, 'one line with a remedy');
  }
});

test('a usage error as a child process', async () => {
  const { exitCode, stderr } = await runKannuki([...check, '--nonsense']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^kannuki: error KNK-CLI-0001: unknown option --nonsense; .*\n$/);
});

test('an error as JSON: code, message, remedy, details; keys and codes are not translated', async () => {
  const { exitCode, stdout, stderr } = await runInProcess(['-o', 'json', '--lang', 'ja', 'support', 'check']);
  assert.equal(exitCode, 2);
  const { error } = JSON.parse(stdout);
  assert.deepEqual(Object.keys(error), ['code', 'message', 'remedy', 'details']);
  assert.equal(error.code, 'KNK-CLI-0003');
  assert.match(error.message, /指定されていません/);
  assert.match(stderr, /^kannuki: error KNK-CLI-0003: /);
  const table = await runInProcess(['-o', 'table', 'support', 'check']);
  assert.equal(table.stdout, '', 'no JSON where none was asked for');
});

test('with --progress json an error is one line too: standard output is a stream', async () => {
  const { stdout } = await runInProcess(['support', 'check', '--progress', 'json']);
  assert.equal(stdout.trimEnd().split('\n').length, 1);
  assert.equal(JSON.parse(stdout).error.code, 'KNK-CLI-0003');
});

test('options may stand before the command’s words', async () => {
  const { exitCode, stdout } = await runInProcess(['--lang', 'en', '-o', 'json', ...check, '--root-used-gb', '3']);
  assert.equal(exitCode, 0);
  assert.equal(JSON.parse(stdout).supported, true);
});

test('a reader that stops reading is no failure', () => {
  const line = `"${process.execPath}" "${resolve(import.meta.dirname, '../main.ts')}" support sizes -o tsv | head -n 1; echo "$\{PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('/bin/bash', ['--norc', '-c', line], {
    encoding: 'utf8',
    env: { KANNUKI_CONFIG: '/dev/null' },
  });
  assert.match(stdout, /^Basic_A0\t/);
  assert.match(stdout, /\n0\n$/);
  assert.equal(stderr, '');
});

test('./kannuki works from any directory and through symbolic links', () => {
  const script = resolve(import.meta.dirname, '../../../../kannuki');
  const first = join(folder, 'first');
  const second = join(folder, 'second');
  symlinkSync(script, first);
  symlinkSync('first', second);
  for (const path of [script, first, second]) {
    const { status, stdout } = spawnSync(path, ['--version'], { cwd: '/', encoding: 'utf8' });
    assert.equal(status, 0, path);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  }
});
