import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { boundConsoleLog } from './console-log.ts';

test('a console log over its limit is set aside once, and its writer goes on at the start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-console-'));
  const path = join(folder, 'console.log');
  try {
    await boundConsoleLog(path, 10);
    assert.equal(existsSync(path), false);
    const writer = openSync(path, 'a');
    writeSync(writer, '0123456789');
    await boundConsoleLog(path, 10);
    assert.equal(readFileSync(path, 'utf8'), '0123456789');
    writeSync(writer, 'over');
    await boundConsoleLog(path, 10);
    writeSync(writer, 'next');
    closeSync(writer);
    assert.equal(readFileSync(`${path}.1`, 'utf8'), '0123456789over');
    assert.equal(readFileSync(path, 'utf8'), 'next');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
