import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode, run, type SecretBytes } from '@kannuki/core';
import { readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { generatePassphrase } from '@kannuki/keyvault';
import { plainTuning } from '../tuning/tuning.ts';
import { Cryptsetup } from './cryptsetup.ts';
import type { Journal } from './journal.ts';
import { defaultPaths, headerFolder, headerPath } from './paths.ts';
import { assertOwnHeaderOnDisk, assertRightDisk } from './right-disk.ts';

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

const diskBytes = 96 * 1024 * 1024;
const paths = { ...defaultPaths, state: join(folder, 'state'), runtime: join(folder, 'run') };

async function makeFileSystem(name: string, fileSystemUuid: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, diskBytes);
  await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-U', fileSystemUuid, path]);
  return path;
}

/** A conversion of a plain file, offline, whose cryptsetup is killed in the middle of a piece behind the first. */
async function convertUntilKilled(device: string, passphrase: SecretBytes): Promise<void> {
  const header = headerPath(paths, 'kn_data0');
  const common = [
    'reencrypt',
    '--resume-only',
    '--batch-mode',
    '--resilience=journal',
    '--hotzone-size=1M',
    '--force-offline-reencrypt',
  ];
  const args = [...common, '--key-file=-', `--header=${header}`, device];
  for (let attempt = 0; attempt < 200; attempt++) {
    const child = spawn('cryptsetup', args, { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(child, 'exit');
    // It may be over before it has read.
    child.stdin.on('error', () => {});
    child.stdin.end(passphrase.bytes);
    for (let isOver = false; !isOver && child.exitCode === null; ) {
      isOver = isHot(header);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    child.kill('SIGKILL');
    await ended;
    if (isHot(header)) return;
    if (child.exitCode === 0) assert.fail('the conversion came to its end');
  }
  assert.fail('no piece was left half-done');
}

function isHot(header: string): boolean {
  try {
    const { metadata } = readLuks2Header(readFileSync(header)).newest;
    const { needsRecovery, bytesConverted } = reencryptionProgress(metadata, diskBytes);
    return needsRecovery && bytesConverted > 1024 * 1024;
  } catch (error) {
    // Read while it was being written.
    if (hasCode(error, 'KNK-FMT-0102') || hasCode(error, 'KNK-FMT-0101')) return false;
    throw error;
  }
}

test('cut in the middle of a piece: only the volume’s own disk may be put right', async () => {
  mkdirSync(headerFolder(paths), { recursive: true });
  const own = await makeFileSystem('data', uuid);
  const copy = join(folder, 'copy-of-plain');
  copyFileSync(own, copy);
  const other = await makeFileSystem('other-data', otherUuid);
  const noise = join(folder, 'noise');
  writeFileSync(noise, randomBytes(diskBytes));
  using passphrase = generatePassphrase();
  const header = headerPath(paths, 'kn_data0');
  const tuning = plainTuning(4096);
  await new Cryptsetup(run).makeHeader({ header, device: own, passphrase, tuning, resilience: 'journal' });
  const use = { kind: 'mount', point: '/nowhere', fileSystem: { type: 'ext4', uuid } };
  const volumeAt = (path: string): Journal =>
    ({ ...volumeOn(path, 'file'), device: { path, sizeBytes: diskBytes, serial: null }, use }) as unknown as Journal;
  // Nothing is half-done yet, and so nothing is put right.
  await assertRightDisk(volumeAt(noise), passphrase, { paths, run });
  await convertUntilKilled(own, passphrase);
  await assertRightDisk(volumeAt(own), passphrase, { paths, run });
  for (const [path, seen] of [
    [copy, 'nothing known'],
    [noise, 'nothing known'],
    [other, 'nothing known'],
  ] as const) {
    await assert.rejects(assertRightDisk(volumeAt(path), passphrase, { paths, run }), (error) => {
      assert.ok(hasCode(error, 'KNK-VOL-0004'), String(error));
      assert.equal(error.details.seen, seen, path);
      return true;
    });
  }
});
