import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readLuks2Header } from './header.ts';
import { reencryptKeyslot } from './model.ts';
import { reencryptionProgress } from './progress.ts';
import { buildHeaderFile, encryptSectors } from './testing/build-header-file.ts';
import { cryptsetup, withFolder } from './testing/cryptsetup.ts';
import { loadRecording } from './testing/recording.ts';

/**
 * Why `needsRecovery` asks for a copy of the header. When cryptsetup (2.6.1) recovers the LAST piece, it writes the
 * piece, wipes its journal, and only then the header; and it never syncs the data. So after a second cut there the header
 * says "replay the journal" of random bytes. These tests make the moments on plain files and let real cryptsetup go on.
 */
const recording = loadRecording('encrypt-journal');
const passphrase = Buffer.from(recording.passphrase, 'hex');
const volumeKey = Buffer.from(recording.volumeKey, 'hex');
const plain = randomBytes(recording.deviceBytes);
const encrypted = encryptSectors(plain, volumeKey, 4096);
const half = recording.deviceBytes / 2;

/** The last state in which a piece, here the second half, is under conversion. */
const hot = recording.states.findLast(
  ({ header }) => reencryptionProgress(readLuks2Header(header).newest.metadata, recording.deviceBytes).needsRecovery,
);

/** Header file at the first cut: the journal holds the plaintext of the piece. */
function headerAtFirstCut(): Buffer {
  assert.ok(hot !== undefined);
  const file = Buffer.from(buildHeaderFile(hot.header, passphrase, volumeKey));
  file.set(plain.subarray(half), journal(file).offset);
  return file;
}

function journal(file: Uint8Array): { readonly offset: number; readonly length: number } {
  const area = reencryptKeyslot(readLuks2Header(file).newest.metadata)?.[1].area;
  assert.ok(area !== undefined);
  return { offset: Number(area.offset), length: Number(area.size) };
}

/** Lets cryptsetup recover what is on the disks. @returns the data afterwards */
function recovered(header: Uint8Array, data: Uint8Array): Buffer {
  return withFolderResult((path) => {
    writeFileSync(path('header'), header);
    writeFileSync(path('data'), data);
    writeFileSync(path('key'), passphrase, { mode: 0o600 });
    const { status, stderr } = cryptsetup(
      'repair',
      '-q',
      '--key-file',
      path('key'),
      '--header',
      path('header'),
      path('data'),
    );
    assert.equal(status, 0, stderr);
    return readFileSync(path('data'));
  });
}

function withFolderResult<T>(use: (path: (name: string) => string) => T): T {
  const results: T[] = [];
  withFolder((path) => results.push(use(path)));
  return results[0] ?? assert.fail('no result');
}

/** The data disk at the first cut: its second half not written yet. */
const halfWay = Buffer.concat([encrypted.subarray(0, half), plain.subarray(half)]);

/** The second cut: the piece is written, the journal wiped, the header not yet. */
function headerAtSecondCut(): Buffer {
  const file = headerAtFirstCut();
  const { offset, length } = journal(file);
  file.set(randomBytes(length), offset);
  return file;
}

test('one cut in the last piece: cryptsetup recovers it', () => {
  assert.ok(recovered(headerAtFirstCut(), halfWay).equals(encrypted));
});

test('a second cut at the end of the recovery: without a copy of the header the piece is lost', () => {
  const after = recovered(headerAtSecondCut(), encrypted);
  assert.ok(after.subarray(0, half).equals(encrypted.subarray(0, half)));
  assert.ok(!after.subarray(half).equals(encrypted.subarray(half)));
});

test('with the copy that was made before the recovery, put back first, nothing is lost: the recovery can be repeated', () => {
  const copy = headerAtFirstCut();
  assert.ok(recovered(copy, encrypted).equals(encrypted), 'the data of the first recovery reached the disk');
  assert.ok(recovered(copy, halfWay).equals(encrypted), 'it did not: cryptsetup does not sync it');
});
