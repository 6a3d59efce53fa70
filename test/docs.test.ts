import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { commandGroups } from '@kannuki/cli/commands/registry';
import { entriesBelow, locate } from '@kannuki/cli/program/locate';
import { commandParser } from '@kannuki/cli/program/parser';
import { exitCodes } from '@kannuki/core';
import packageFile from '../package.json' with { type: 'json' };
import { blocksOf, commandWords, headingsOf, isShell, linksOf, outsideBlocks, slugsOf } from './markdown.ts';

/** Documents promise nothing that the tree does not have. */
const root = resolve(import.meta.dirname, '..');
const patterns = ['*.md', 'docs/**/*.md', 'changelog/**/*.md'];
const documents = globSync(patterns, { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}));
const silent = { write: () => true };

function documentAt(path: string): string {
  const found = documents.find((document) => document.path === path);
  assert.ok(found, `${path} is missing`);
  return found.text;
}

function shellLines(text: string): string[] {
  return blocksOf(text)
    .filter(isShell)
    .flatMap(({ lines }) => lines);
}

/** Why a command line cannot be right; undefined for one that the program would accept. */
async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const { entry, path, rest, help } = locate(words);
  if (entry === undefined) {
    const isKnown = path.length === 0 || entriesBelow(path).length > 0;
    const asksForHelp = help || rest.every((word) => ['--help', '-h', '--version', '-V'].includes(word));
    return isKnown && asksForHelp && words.length > 0 ? undefined : 'no such command';
  }
  const parser = commandParser(entry, await entry.load(), 'en', silent);
  try {
    parser.parse([...rest], { from: 'user' });
    return undefined;
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return code === 'commander.helpDisplayed' ? undefined : message;
  }
}

test('the check of command lines can fail, and takes what is right', async () => {
  const right = ['disk list -o json', 'disk encrypt /d --vault https://v/ --progress json', '--help', 'disk --help'];
  const wrong = [
    'disk undo /d',
    'disk encrypt /d --format --fs-type ntfs',
    'disk list --all',
    'disk recover',
    'disk recover a b',
    'vault x',
  ];
  for (const line of right) assert.equal(await problemOf(line.split(' ')), undefined, line);
  for (const line of wrong) assert.notEqual(await problemOf(line.split(' ')), undefined, line);
  const words = commandWords(`sudo ./kannuki disk list --query '[?a==\`b c\`]' "x y" # comment`);
  assert.deepEqual(words, [['disk', 'list', '--query', '[?a==`b c`]', 'x y']]);
  assert.deepEqual(commandWords('kannuki man disk list | man -l - && kannuki disk list; echo $?'), [
    ['man', 'disk', 'list'],
    ['disk', 'list'],
  ]);
});

test('each command line in a code block names a command and flags that exist', async () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { path, text } of documents) {
    for (const line of shellLines(text)) {
      for (const words of commandWords(line)) {
        count += 1;
        const problem = await problemOf(words);
        if (problem !== undefined) wrong.push(`${path}: ${line}: ${problem}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count >= 20, `only ${count} command lines were found`);
});

test('README names each command of the VM, and no command in running text that does not exist', () => {
  const readme = documentAt('README.md');
  for (const { path } of entriesBelow(['disk'])) assert.ok(readme.includes(`kannuki ${path}`), path);
  const wrong: string[] = [];
  const groups = new Set(commandGroups.map(({ name }) => name));
  for (const { path, text } of documents) {
    // Made from the error catalogue, which has its own test.
    if (path === 'docs/errors.md') continue;
    for (const [, span = ''] of outsideBlocks(text).matchAll(/`(?:\.\/)?kannuki ([a-z][^`\n]*)`/g)) {
      const words = span.split(' ').filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'));
      const [first = ''] = words;
      const isRole = words.length === 1 && (groups.has(first) || first === 'host');
      if (!isRole && locate(words).entry === undefined) wrong.push(`${path}: kannuki ${span}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the scripts that README tells to run are there', () => {
  const scripts = shellLines(documentAt('README.md')).flatMap((line) => /^\.\/([a-z.-]+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(scripts.toSorted(), ['quickstart.sh', 'test.sh']);
  for (const script of scripts) assert.ok(existsSync(join(root, script)), script);
});

test('each npm script that a document names is in package.json', () => {
  const known = new Set(Object.keys(packageFile.scripts));
  const named = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/npm (?:run (?:--silent )?([a-z][a-z:-]*)|(test)\b)/g)].map((match) => ({
      path,
      script: match[1] ?? match[2] ?? '',
    })),
  );
  assert.deepEqual(
    named.filter(({ script }) => !known.has(script)),
    [],
  );
  assert.ok(named.some(({ script }) => script === 'torture'));
});

test('each link to a file of the tree leads to one, and to a heading that is there', () => {
  const wrong: string[] = [];
  let count = 0;
  for (const { path, text } of documents) {
    for (const link of linksOf(text)) {
      if (/^[a-z]+:/i.test(link)) continue;
      count += 1;
      const [file = '', anchor] = decodeURI(link).split('#', 2);
      const target = file === '' ? join(root, path) : resolve(root, dirname(path), file);
      if (!existsSync(target)) wrong.push(`${path}: ${link}: no such file`);
      else if (anchor !== undefined && !slugsOf(readFileSync(target, 'utf8')).includes(anchor)) {
        wrong.push(`${path}: ${link}: no such heading`);
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(count >= 20, `only ${count} links were found`);
});

test('README.ja.md has the headings, blocks, tables, commands and links of README.md', () => {
  const english = documentAt('README.md');
  const japanese = documentAt('README.ja.md');
  const shape = (text: string) => ({
    headings: headingsOf(text).map(({ level }) => level),
    blocks: blocksOf(text).map(({ language, lines }) => [language, lines.length]),
    rows: outsideBlocks(text)
      .split('\n')
      .filter((line) => line.startsWith('|')).length,
    items: outsideBlocks(text)
      .split('\n')
      .filter((line) => /^(?:[-*]|\d+\.) /.test(line)).length,
    commands: shellLines(text).map((line) => line.replace(/\s+#.*$/, '')),
    // Each README names the other in one place.
    links: linksOf(text)
      .filter((link) => !link.startsWith('#') && !link.startsWith('README'))
      .toSorted(),
  });
  assert.deepEqual(shape(japanese), shape(english));
});

test('the tables of exit codes in both READMEs are the program’s', () => {
  for (const path of ['README.md', 'README.ja.md']) {
    const codes = [...documentAt(path).matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]));
    assert.deepEqual(codes, Object.values(exitCodes), path);
  }
});

test('the index of decisions has each of them', () => {
  const index = linksOf(documentAt('docs/adr/README.md'));
  for (const path of globSync('docs/adr/*.md', { cwd: root })) {
    const name = path.slice('docs/adr/'.length);
    assert.ok(name === 'README.md' || index.includes(name), `${name} is not in docs/adr/README.md`);
  }
});

test('each point at which Azure Disk Encryption loses data has a test of ours that exists', () => {
  const section =
    documentAt('docs/lab.md').split('## Where Azure Disk Encryption loses data')[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => /^\| \d/.test(line));
  assert.deepEqual(
    rows.map((row) => Number(row.split('|')[1])),
    [1, 2, 3, 4, 5, 6, 7],
  );
  const sources = globSync('packages/{guest,testkit}/src/**/*.ts', { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  for (const row of rows) {
    const tests = row.split('|')[3] ?? '';
    const files = [...tests.matchAll(/`([^`]+\.ts)`/g)].map(([, file = '']) => file);
    assert.ok(files.length > 0, row);
    for (const file of files) {
      const path = file.startsWith('packages/') ? file : join('packages/testkit/src', file);
      assert.ok(existsSync(join(root, path)), `${path} is missing`);
    }
    // A title that is put together while it runs has an ellipsis for that part.
    const titles = [...tests.matchAll(/"([^"]+)"/g)].flatMap(([, title = '']) => title.split('…'));
    for (const part of titles.map((one) => one.trim())) assert.ok(sources.includes(part), `no test says: ${part}`);
  }
});
