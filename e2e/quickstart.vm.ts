import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '@kannuki/core';
import { execute } from './quickstart/kannuki.ts';

test('quickstart: a VM’s data disk encrypted in place while in use, key in a vault, unlocked at boot by itself', async () => {
  const repository = join(import.meta.dirname, '..');
  await shareImages(join(repository, '.cache'));
  const script = join(repository, 'quickstart.sh');
  const { exitCode, stdout, stderr } = await execute(script, ['--json'], { timeoutSeconds: 2400 });
  assert.equal(exitCode, 0, stderr);
  const report = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
  assert.deepEqual(Object.keys(report).sort(), [
    'accelerator',
    'bootToMountedSeconds',
    'bytesPerSecond',
    'diskBytes',
    'downtimeSeconds',
    'encryptSeconds',
    'filesDamaged',
    'filesVerified',
    'image',
    'kekId',
    'plaintextFound',
    'secretId',
    'states',
    'vm',
  ]);
  assert.deepEqual(report.states, { before: 'NotEncrypted', during: 'EncryptionInProgress', after: 'Encrypted' });
  assert.equal(report.filesDamaged, 0);
  assert.equal(report.plaintextFound, false);
  assert.ok(Number(report.filesVerified) > 200);
  assert.match(String(report.secretId), /^https:\/\/kv1\.[^/]+\/secrets\/[^/]+\/[0-9a-f]{32}$/);
  assert.match(String(report.kekId), /^https:\/\/kv1\.[^/]+\/keys\/kek1\/[0-9a-f]{32}$/);
});

/** The lab has downloaded the packages already; images never change once they are made, so that links to them do. */
async function shareImages(cache: string): Promise<void> {
  const [lab, quickstart] = [join(cache, 'lab/images'), join(cache, 'quickstart-images')];
  if (existsSync(lab) && !existsSync(quickstart)) await run('cp', ['--archive', '--link', lab, quickstart]);
}
