import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { defaultPaths } from './paths.ts';
import { prepareOpen, settleOpen } from './recovery-guard.ts';

const state = mkdtempSync(join(tmpdir(), 'kannuki-recovery-'));
after(() => rmSync(state, { recursive: true }));
const folder = join(state, 'headers');
mkdirSync(folder);
const paths = { ...defaultPaths, state };
const copy = join(folder, 'kn_data0.luks.before-recovery');

function volumeWith(place: 'file' | 'disk', path: string) {
  return {
    name: 'kn_data0',
    device: { path, sizeBytes: 4096, serial: null },
    header: { place, sectorSize: 512, resilience: 'journal' },
  } as const;
}

test('a copy that is found means a cut recovery and is put back, until the open has settled; then it never comes again', async () => {
  const header = join(folder, 'kn_data0.luks');
  const device = join(state, 'device');
  writeFileSync(device, '');
  writeFileSync(header, 'left by a cut recovery');
  writeFileSync(copy, 'as the first cut left it');
  const volume = volumeWith('file', device);
  for (let boot = 0; boot < 2; boot++) {
    await prepareOpen(volume, paths);
    assert.equal(readFileSync(header, 'utf8'), 'as the first cut left it');
    writeFileSync(header, `recovery ${boot} was cut`);
  }
  await settleOpen(volume, paths);
  assert.deepEqual(readdirSync(folder), ['kn_data0.luks']);
  assert.equal(readFileSync(header, 'utf8'), 'recovery 1 was cut');
});

test('a header on the device is put back at its beginning, the data behind it stays, and the copy is never beside the device', async () => {
  const device = join(state, 'disk');
  writeFileSync(device, 'CUT-HEADERdata');
  writeFileSync(copy, 'old-header');
  const volume = volumeWith('disk', device);
  await prepareOpen(volume, paths);
  assert.equal(readFileSync(device, 'utf8'), 'old-headerdata');
  await settleOpen(volume, paths);
  assert.equal(
    readdirSync(state).some((name) => name.includes('before-recovery')),
    false,
  );
  assert.equal(readdirSync(folder).includes('kn_data0.luks.before-recovery'), false);
});
