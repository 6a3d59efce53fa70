import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode, run } from '@kannuki/core';
import { Locks } from './locks.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-lock-'));
after(() => rmSync(folder, { recursive: true }));

const locks = new Locks(folder, run);

test('a second run on a volume is refused at once, and let in when the first is done; other volumes are free', async () => {
  {
    await using _first = await locks.volume('kn_a');
    await assert.rejects(
      locks.volume('kn_a'),
      (error) => hasCode(error, 'KNK-VOL-0002') && error.exitCode === 75 && error.details.what === 'kn_a',
    );
    await using _other = await locks.volume('kn_b');
  }
  await using _second = await locks.volume('kn_a');
});

test('the shared lock is waited for', async () => {
  const order: string[] = [];
  const first = await locks.shared();
  const second = locks.shared().then(async (lock) => {
    order.push('second');
    await lock[Symbol.asyncDispose]();
  });
  order.push('first');
  await first[Symbol.asyncDispose]();
  await second;
  assert.deepEqual(order, ['first', 'second']);
});

/** A process that holds the lock, with a program that inherited it where one is asked for. */
async function holder(withProgram: boolean) {
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { run } from ${JSON.stringify(import.meta.resolve('@kannuki/core'))};
     import { Locks } from ${JSON.stringify(import.meta.resolve('./locks.ts'))};
     const lock = await new Locks(${JSON.stringify(folder)}, run).volume('kn_killed');
     if (${withProgram}) void run('sh', ['-c', 'echo $$ > ${folder}/pid; exec sleep 60'], { descriptors: [lock.descriptor] });
     while (${withProgram} && !(await import('node:fs')).existsSync('${folder}/pid')) await new Promise((r) => setTimeout(r, 10));
     console.log('held');
     setInterval(() => {}, 1000);`,
  ]);
  await once(child.stdout, 'data');
  return child;
}

test('a run that was killed leaves no lock behind', async () => {
  const child = await holder(false);
  await assert.rejects(locks.volume('kn_killed'), (error) => hasCode(error, 'KNK-VOL-0002'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using _lock = await locks.volume('kn_killed');
});

test('a program that works on for a run that was killed keeps the lock until it ends', async () => {
  const child = await holder(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await assert.rejects(locks.volume('kn_killed'), (error) => hasCode(error, 'KNK-VOL-0002'));
  process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')));
  const end = Date.now() + 10_000;
  for (;;) {
    try {
      await using _lock = await locks.volume('kn_killed');
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});
