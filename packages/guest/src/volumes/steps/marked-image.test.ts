import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { carriesMark, writeMarkedImage } from './marked-image.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-mark-'));
after(() => rmSync(folder, { recursive: true }));
const device = join(folder, 'device');
const image = { bytes: Buffer.alloc(4096, 'i'), markOffset: 1024 };

test('a device carries the mark once it is written, and what lies behind the image stays', async () => {
  writeFileSync(device, Buffer.alloc(8192, 'o'));
  assert.equal(await carriesMark(device, image), false);
  await writeMarkedImage(device, image);
  assert.equal(await carriesMark(device, image), true);
  assert.equal(readFileSync(device, 'latin1'), 'i'.repeat(4096) + 'o'.repeat(4096));
});

test('the mark alone is enough, one byte less is not, and a device that is too short carries none', async () => {
  const only = Buffer.alloc(8192, 'o').fill('i', 1024, 1536);
  writeFileSync(device, only);
  assert.equal(await carriesMark(device, image), true);
  writeFileSync(device, only.fill('o', 1535, 1536));
  assert.equal(await carriesMark(device, image), false);
  writeFileSync(device, Buffer.alloc(1100, 'i'));
  assert.equal(await carriesMark(device, image), false);
});
