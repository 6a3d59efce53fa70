import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { catalogue, exitCodes } from '@kannuki/core';
import { errorsDoc, errorsDocPath } from '../build/errors-doc.ts';

test('docs/errors.md is up to date (npm run docs:errors)', async () => {
  assert.equal(await readFile(errorsDocPath, 'utf8'), errorsDoc());
});

test('docs/errors.md has every error and every exit code', async () => {
  const text = await readFile(errorsDocPath, 'utf8');
  for (const code of Object.keys(catalogue)) assert.ok(text.includes(`### ${code}\n`), code);
  for (const [name, number] of Object.entries(exitCodes)) assert.ok(text.includes(`| ${number} | ${name} |`), name);
});
