import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { commandTable } from '../commands/registry.ts';
import { runInProcess } from '../testing/run-kannuki.ts';
import { completionScript } from './completion.ts';
import { describeCommands } from './described.ts';
import { manPage } from './man-page.ts';

const commands = await describeCommands();

/** What bash itself offers after these words. */
function complete(...words: string[]): string[] {
  const script = `${completionScript('bash', commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kannuki; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status } = spawnSync('/bin/bash', ['--norc', '-c', script, 'bash', 'kannuki', ...words], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  return stdout.trim().split('\n');
}

test('bash completes commands, options and choices', () => {
  assert.ok(complete('').includes('support'));
  assert.deepEqual(complete('supp'), ['support']);
  assert.deepEqual(complete('support', ''), ['check', 'images', 'sizes']);
  assert.deepEqual(complete('support', 'check', '--vol'), ['--volume-type']);
  assert.deepEqual(complete('support', 'check', '--urn', 'x', '--volume-type', ''), ['OS', 'DATA', 'ALL']);
  assert.deepEqual(complete('-o', 'json', 'support', 'images', '--fil'), ['--filter']);
  assert.deepEqual(complete('support', 'images', '-o', 't'), ['table', 'tsv']);
});

test('the scripts have every command and every option', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(shell, commands);
    for (const entry of commandTable) assert.ok(script.includes(entry.path), `${shell} ${entry.path}`);
    assert.match(script, /root-used-gb/);
  }
});

test('the scripts are sound shell', () => {
  for (const shell of ['bash', 'zsh'] as const) {
    const { status, stderr } = spawnSync('/bin/bash', ['--norc', '-n'], {
      input: completionScript(shell, commands),
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  }
});

test('kannuki completion: a shell that is not known is a usage error', async () => {
  assert.equal((await runInProcess(['completion', 'csh'])).exitCode, 2);
  const { exitCode, stdout } = await runInProcess(['completion', 'bash']);
  assert.equal(exitCode, 0);
  assert.match(stdout, /complete -o filenames -F _kannuki kannuki/);
});

test('each command has a manual page with name, options, exit codes and examples', () => {
  for (const described of commands) {
    const page = manPage(described, '0.1.0');
    for (const part of [
      '.TH KANNUKI-',
      '.SH NAME',
      '.SH SYNOPSIS',
      '.SH OPTIONS',
      '.SH "EXIT STATUS"',
      '.SH EXAMPLES',
    ]) {
      assert.ok(page.includes(part), `${described.entry.path} ${part}`);
    }
    // Unprotected hyphens become typographic ones and can no longer be copied.
    assert.doesNotMatch(page.replace(/^\.TH.*$/m, ''), /[^\\]-/);
  }
});

test('kannuki man: prints a page; an unknown command is a usage error', async () => {
  const { exitCode, stdout } = await runInProcess(['man', 'support', 'check']);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^\.TH KANNUKI-SUPPORT-CHECK 1/);
  assert.equal((await runInProcess(['man', 'support'])).exitCode, 2);
});
