import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hasCode, SecretBytes } from '@kannuki/core';
import { printJson } from '../json/ordered-json.ts';
import { atBoundary, provenBoundary } from './boundary.ts';
import { finishReencryption } from './finish.ts';
import { readLuks2Header } from './header.ts';
import { decodeHeaderRecord, encodeHeaderRecord } from './header-record.ts';
import { openKeyslot } from './keyslot.ts';
import { reencryptionProgress } from './progress.ts';
import { type HeaderSource, rebuildHeader } from './rebuild.ts';
import { encryptSectors } from './testing/build-header-file.ts';
import { cryptsetup, withFolder } from './testing/cryptsetup.ts';
import { edited } from './testing/edit-header.ts';
import { loadRecording } from './testing/recording.ts';

const recording = loadRecording('encrypt-journal');
const { deviceBytes } = recording;
const volumeKey = SecretBytes.take(Buffer.from(recording.volumeKey, 'hex'));
const passphrase = SecretBytes.take(Buffer.from('a passphrase that the recording never had'));
const secrets = { volumeKey, passphrase };
const contents = recording.states.map(({ header }) => readLuks2Header(header).newest);
const first = contents[0] ?? assert.fail('the recording is empty');
const last = contents.at(-1) ?? first;

/** The record as it comes back from the vault. */
function recorded(content: HeaderSource & (typeof contents)[number]): HeaderSource {
  using record = encodeHeaderRecord(content, { wrapping: null, value: volumeKey });
  return decodeHeaderRecord(record);
}

function fileOf(source: HeaderSource): Buffer {
  const { bytes, fileSize } = rebuildHeader(source, secrets);
  const file = Buffer.alloc(fileSize);
  file.set(bytes);
  return file;
}

test('a rebuilt header is the old one in all but salts, key slot and sequence number', () => {
  for (const content of [first, last]) {
    const { primary, secondary, newest } = readLuks2Header(fileOf(recorded(content)));
    assert.deepEqual([primary.state, secondary.state], ['newest', 'newest']);
    assert.deepEqual([newest.uuid, newest.sequenceId], [content.uuid, content.sequenceId + 1n]);
    const withoutSalt = (json: string): string => json.replace(/("iterations":1000,"salt":)"[^"]*"\}\}/g, '$1""}}');
    assert.equal(withoutSalt(printJson(newest.metadata.raw)), withoutSalt(printJson(content.metadata.raw)));
    using found = openKeyslot(fileOf(recorded(content)), passphrase);
    assert.ok(found.equals(volumeKey));
  }
});

test('cryptsetup opens a rebuilt header of a finished volume, and refuses another passphrase', () => {
  withFolder((path) => {
    writeFileSync(path('header'), fileOf(recorded(last)));
    writeFileSync(path('data'), Buffer.alloc(deviceBytes));
    writeFileSync(path('key'), passphrase.bytes, { mode: 0o600 });
    writeFileSync(path('wrong'), randomBytes(20), { mode: 0o600 });
    const open = (key: string): number | null =>
      cryptsetup('open', '--test-passphrase', '--key-file', path(key), '--header', path('header'), path('data')).status;
    assert.deepEqual([open('key'), open('wrong')], [0, 2]);
    const { stdout } = cryptsetup('luksDump', '--dump-volume-key', '-q', '--key-file', path('key'), path('header'));
    const dumped = /MK dump:\s*((?:[0-9a-f]{2}\s+)+)/.exec(stdout)?.[1]?.replace(/\s/g, '');
    assert.equal(dumped, recording.volumeKey);
  });
});

test('cryptsetup goes on from a rebuilt header at the boundary, and what it makes is right to the last byte', () => {
  const plain = randomBytes(deviceBytes);
  const encrypted = encryptSectors(plain, volumeKey.bytes, 4096);
  for (const boundary of [0, 4096, deviceBytes / 2, deviceBytes - 4096]) {
    const { headerSize, metadata } = first;
    const source = { ...recorded(first), metadata: atBoundary(metadata, headerSize, BigInt(boundary)) };
    withFolder((path) => {
      writeFileSync(path('header'), fileOf(source));
      writeFileSync(path('data'), Buffer.concat([encrypted.subarray(0, boundary), plain.subarray(boundary)]));
      writeFileSync(path('key'), passphrase.bytes, { mode: 0o600 });
      const words = ['--resume-only', '-q', '--resilience', 'journal', '--force-offline-reencrypt'];
      const where = ['--key-file', path('key'), '--header', path('header'), path('data')];
      const { status, stderr } = cryptsetup('reencrypt', ...words, ...where);
      assert.equal(status, 0, `boundary ${boundary}: ${stderr}`);
      assert.ok(readFileSync(path('data')).equals(encrypted), `boundary ${boundary}`);
    });
  }
});

test('the metadata at a boundary is what cryptsetup itself writes there', () => {
  for (const { metadata, headerSize } of contents) {
    const progress = reencryptionProgress(metadata, deviceBytes);
    if (!progress.pending || progress.needsRecovery) continue;
    const boundary = progress.awaitsFinish ? 'end' : provenBoundary(metadata);
    const made = atBoundary(first.metadata, headerSize, boundary);
    assert.equal(printJson(made.raw), printJson(metadata.raw), `boundary ${boundary}`);
  }
  assert.deepEqual([...new Set(contents.map(({ metadata }) => provenBoundary(metadata)))], [0n, 4_194_304n]);
});

test('the first record and the knowledge that all is encrypted give a header that is finished', () => {
  const { headerSize, metadata } = first;
  const file = fileOf({ ...recorded(first), metadata: atBoundary(metadata, headerSize, 'end') });
  const verdict = finishReencryption(file, deviceBytes);
  assert.ok(verdict.needed);
  file.set(verdict.header);
  const progress = reencryptionProgress(readLuks2Header(file).newest.metadata, deviceBytes);
  assert.deepEqual([progress.pending, progress.bytesEncrypted], [false, deviceBytes]);
  using found = openKeyslot(file, passphrase);
  assert.ok(found.equals(volumeKey));
});

test('slots that nobody can fill again are left out, and nothing goes on naming them', () => {
  const header = edited(recording.states.at(-1)?.header ?? new Uint8Array(0), (json) => {
    const slot = json.keyslots['0'] ?? assert.fail();
    json.keyslots['5'] = { ...slot, area: { ...slot.area, offset: '290816' } };
    json.digests['0']?.keyslots.push('5');
    json.tokens['1'] = { type: 'systemd-tpm2', keyslots: ['5'] };
  });
  const rebuilt = rebuildHeader(readLuks2Header(header).newest, secrets);
  assert.deepEqual([rebuilt.keyslot, rebuilt.droppedKeyslots], [0, [5]]);
  const { metadata } = readLuks2Header(rebuilt.bytes).newest;
  assert.deepEqual([[...metadata.keyslots.keys()], metadata.digests.get(0)?.keyslots], [[0], [0]]);
  assert.deepEqual(metadata.tokens.get(1)?.keyslots, []);
});

test('what does not go together is refused: another key, a volume on its way from key to key, a cipher not known here', () => {
  using other = SecretBytes.random(64);
  const bad: readonly (readonly [RegExp, () => unknown])[] = [
    [/not that of its digests/, () => rebuildHeader(last, { passphrase, volumeKey: other })],
    [/another volume key/, () => rebuildHeader(reencrypting(), { passphrase, volumeKey: reencryptedKey() })],
    [/encryption aes-cbc-essiv:sha256/, () => rebuildHeader(withOtherCipher(), secrets)],
    [/no conversion is pending/, () => atBoundary(last.metadata, last.headerSize, 0n)],
    [/mode reencrypt/, () => atBoundary(reencrypting().metadata, 16384, 0n)],
    [/a boundary at byte 512/, () => atBoundary(first.metadata, first.headerSize, 512n)],
  ];
  for (const [reason, attempt] of bad) {
    assert.throws(attempt, (error) => hasCode(error, 'KNK-FMT-0108') && reason.test(error.message));
  }
});

const change = loadRecording('reencrypt-journal');

function reencrypting(): HeaderSource {
  return readLuks2Header(change.states[0]?.header ?? new Uint8Array(0)).newest;
}

function reencryptedKey(): SecretBytes {
  return SecretBytes.take(Buffer.from(change.volumeKey, 'hex'));
}

function withOtherCipher(): HeaderSource {
  const header = edited(recording.states.at(-1)?.header ?? new Uint8Array(0), (json) => {
    const area = json.keyslots['0']?.area ?? assert.fail();
    area.encryption = 'aes-cbc-essiv:sha256';
  });
  return readLuks2Header(header).newest;
}
