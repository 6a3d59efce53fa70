import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode, run } from '@kannuki/core';
import type { Journal } from './journal.ts';
import { assertOwnHeaderOnDisk } from './right-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-right-disk-'));
after(() => rmSync(folder, { recursive: true }));

const uuid = '7f1d1d1e-5c1f-4d0e-9a34-0d7f6a0c5b11';
const otherUuid = '7f1d1d1e-5c1f-4d0e-9a34-0d7f6a0c5b12';

/** What luksFormat makes on a disk. */
async function formatted(name: string, luksUuid: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, 20 * 1024 * 1024);
  const kdf = ['--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000'];
  const args = ['luksFormat', '--batch-mode', '--type=luks2', ...kdf, `--uuid=${luksUuid}`, '--key-file=-', path];
  await run('cryptsetup', args, { input: 'only for a test' });
  return path;
}

function volumeOn(path: string, place: 'file' | 'disk' = 'disk'): Journal {
  const device = { path, sizeBytes: 20 * 1024 * 1024, serial: null };
  const header = { place, sectorSize: 512, resilience: 'journal' } as const;
  return { name: 'kn_data0', device, header, luksUuid: uuid } as unknown as Journal;
}

test('a header on the disk is ours as long as one of its copies, torn as it may be, has our UUID', async () => {
  const path = await formatted('own', uuid);
  await assertOwnHeaderOnDisk(volumeOn(path));
  const whole = readFileSync(path);
  // Behind the first sector of either copy, and the whole first copy.
  for (const [from, to] of [
    [512, 16384],
    [16384 + 512, 32768],
    [0, 16384],
  ] as const) {
    writeFileSync(path, Buffer.from(whole).fill(0, from, to));
    await assertOwnHeaderOnDisk(volumeOn(path));
  }
});

test('the header of another volume, or none, is not written over', async () => {
  const other = await formatted('other', otherUuid);
  const plain = join(folder, 'plain');
  writeFileSync(plain, Buffer.alloc(1024 * 1024, 'plain text '));
  for (const [path, seen] of [
    [other, `LUKS UUID ${otherUuid}`],
    [plain, 'no LUKS header'],
  ] as const) {
    await assert.rejects(assertOwnHeaderOnDisk(volumeOn(path)), (error) => {
      return hasCode(error, 'KNK-VOL-0004') && error.details.seen === seen;
    });
    // Where the header is a file the disk has none.
    await assertOwnHeaderOnDisk(volumeOn(path, 'file'));
  }
});
