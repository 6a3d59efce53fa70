import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode, run } from '@kannuki/core';
import { takeEngineLock } from './engine-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-lock-'));
after(() => rmSync(folder, { recursive: true }));

test('a second engine is refused at once, and let in when the first is done', async () => {
  {
    await using _first = await takeEngineLock(folder, run);
    await assert.rejects(
      takeEngineLock(folder, run),
      (error) => hasCode(error, 'KNK-VOL-0002') && error.exitCode === 75,
    );
  }
  await using _second = await takeEngineLock(folder, run);
});

test('an engine that was killed leaves no lock behind', async () => {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { run } from ${JSON.stringify(import.meta.resolve('@kannuki/core'))};
     import { takeEngineLock } from ${JSON.stringify(import.meta.resolve('./engine-lock.ts'))};
     await takeEngineLock(${JSON.stringify(folder)}, run);
     console.log('held');
     setInterval(() => {}, 1000);`,
  ]);
  await once(child.stdout, 'data');
  await assert.rejects(takeEngineLock(folder, run), (error) => hasCode(error, 'KNK-VOL-0002'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using _lock = await takeEngineLock(folder, run);
});
