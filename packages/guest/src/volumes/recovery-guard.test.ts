import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { prepareOpen, settleOpen } from './recovery-guard.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-recovery-'));
after(() => rmSync(folder, { recursive: true }));

test('a copy that is found means a cut recovery and is put back, until the open has settled; then it never comes again', async () => {
  const header = join(folder, 'kn_data0.luks');
  const device = join(folder, 'device');
  writeFileSync(device, '');
  writeFileSync(header, 'left by a cut recovery');
  writeFileSync(`${header}.before-recovery`, 'as the first cut left it');
  for (let boot = 0; boot < 2; boot++) {
    await prepareOpen(header, 4096);
    assert.equal(readFileSync(header, 'utf8'), 'as the first cut left it');
    writeFileSync(header, `recovery ${boot} was cut`);
  }
  await settleOpen(header, device);
  assert.deepEqual(readdirSync(folder).sort(), ['device', 'kn_data0.luks']);
  assert.equal(readFileSync(header, 'utf8'), 'recovery 1 was cut');
});
