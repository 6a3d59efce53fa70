import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { finishReencryption } from './finish.ts';
import { hasFrontOnly, withFrontOnly } from './front-only.ts';
import { readLuks2Header } from './header.ts';
import { openKeyslot } from './keyslot.ts';
import { liveSegments, reencryptKeyslot } from './model.ts';
import { reencryptionProgress } from './progress.ts';
import { buildHeaderFile, encryptSectors } from './testing/build-header-file.ts';
import { cryptsetup, withFolder } from './testing/cryptsetup.ts';
import { edited, jsonText } from './testing/edit-header.ts';
import { frontOfRecording, loadRecording } from './testing/recording.ts';

const mebibyte = 1024 * 1024;
const deviceBytes = 24 * mebibyte;
const frontBytes = 5 * mebibyte + 4096;
const secret = Buffer.alloc(48, 'a passphrase of the test');

interface Fresh {
  readonly header: string;
  readonly key: string;
  readonly data: string;
  readonly whole: Buffer;
  readonly volumeKey: SecretBytes;
}

/** A header as the machine's cryptsetup makes it for an encryption in place. */
function withHeader(use: (fresh: Fresh) => void): void {
  withFolder((path) => {
    const [header, data, key] = [path('header'), path('data'), path('key')];
    writeFileSync(data, randomBytes(deviceBytes));
    writeFileSync(key, secret, { mode: 0o600 });
    const slot = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--key-file', key];
    const cipher = ['--cipher', 'aes-xts-plain64', '--key-size', '512', '--sector-size', '4096'];
    const args = ['--encrypt', '--init-only', '-q', '--type', 'luks2', '--resilience', 'journal'];
    const { status, stderr } = cryptsetup('reencrypt', ...args, ...cipher, ...slot, '--header', header, data);
    assert.equal(status, 0, stderr);
    const whole = readFileSync(header);
    using passphrase = SecretBytes.copy(secret);
    using volumeKey = openKeyslot(whole, passphrase);
    use({ header, data, key, whole, volumeKey });
  });
}

test('stock cryptsetup converts the front, leaves the rest as it is, and ends with one segment over the whole device', () => {
  withHeader(({ header, data, key, whole, volumeKey }) => {
    const plain = readFileSync(data);
    whole.set(withFrontOnly(whole, frontBytes, volumeKey));
    writeFileSync(header, whole);
    const { metadata } = readLuks2Header(whole).newest;
    assert.ok(hasFrontOnly(metadata));
    assert.deepEqual(finishReencryption(whole, deviceBytes), { needed: false, reason: 'unfinished' });
    assert.equal(reencryptionProgress(metadata, deviceBytes).bytesEncrypted, deviceBytes - frontBytes);

    const resume = ['--resume-only', '--force-offline-reencrypt', '-q', '--key-file', key, '--header', header, data];
    const { status, stderr } = cryptsetup('reencrypt', ...resume);
    assert.equal(status, 0, stderr);
    const after = readFileSync(data);
    const encrypted = encryptSectors(plain, volumeKey.bytes, 4096);
    assert.ok(after.subarray(0, frontBytes).equals(encrypted.subarray(0, frontBytes)), 'the front is ciphertext');
    assert.ok(after.subarray(frontBytes).equals(plain.subarray(frontBytes)), 'nothing behind it was written');
    const done = readLuks2Header(readFileSync(header)).newest.metadata;
    assert.ok(!hasFrontOnly(done));
    const live = liveSegments(done).map(([, { type, offset, size }]) => ({ type, offset, size }));
    assert.deepEqual(live, [{ type: 'crypt', offset: 0n, size: 'dynamic' }]);
    assert.deepEqual(done.config.requirements, []);
  });
});

test('the direction is under the digest of cryptsetup: a header where only it is changed is refused by it', () => {
  withHeader(({ header, data, key, whole, volumeKey }) => {
    const digest = /"1":\{"type":"pbkdf2"[^}]*"digest":"([^"]+)"/.exec(whole.toString('latin1', 4096, 16384))?.[1];
    assert.ok(digest !== undefined);
    const old = edited(withFrontOnly(whole, frontBytes, volumeKey), (json) => {
      json.digests['1'].digest = digest;
    });
    whole.set(old);
    writeFileSync(header, whole);
    const resume = ['--resume-only', '--force-offline-reencrypt', '-q', '--key-file', key, '--header', header, data];
    assert.notEqual(cryptsetup('reencrypt', ...resume).status, 0);
  });
});

test('what is no header at the beginning of such a conversion is refused, and so is a wrong front or key', () => {
  withHeader(({ whole, volumeKey }) => {
    const refused = (bytes: Uint8Array, front = frontBytes, key = volumeKey): void =>
      assert.throws(
        () => withFrontOnly(bytes, front, key),
        (error: unknown) => error instanceof KannukiError && error.code === 'KNK-FMT-0120',
      );
    for (const front of [0, -4096, 512, 4097, Number.NaN]) refused(whole, front);
    using other = SecretBytes.random(64);
    refused(whole, frontBytes, other);
    const front = withFrontOnly(whole, frontBytes, volumeKey);
    refused(front);
    for (const name of ['encrypt-journal', 'encrypt-checksum', 'reencrypt-journal'] as const) {
      refused(loadRecording(name).states.at(-1)?.header ?? assert.fail());
    }
    refused(loadRecording('encrypt-journal').states.at(-20)?.header ?? assert.fail());
  });
});

const recording = loadRecording('front-journal');
const recorded = {
  passphrase: Buffer.from(recording.passphrase, 'hex'),
  volumeKey: Buffer.from(recording.volumeKey, 'hex'),
};
const needsRecovery = (header: Uint8Array): boolean =>
  reencryptionProgress(readLuks2Header(header).newest.metadata, recording.deviceBytes).needsRecovery;

test('the guard acts exactly where stock cryptsetup encrypts twice, but for pieces that are recovered first', () => {
  const last = recording.states.at(-1)?.header ?? assert.fail();
  let acted = 0;
  for (const { header, unguarded } of recording.states) {
    const verdict = finishReencryption(header, recording.deviceBytes);
    assert.equal(verdict.needed, unguarded === 'lost' && !needsRecovery(header));
    if (!verdict.needed) continue;
    acted++;
    assert.equal(jsonText(verdict.header, false), jsonText(last, false));
    assert.equal(jsonText(verdict.header, true), jsonText(last, false));
  }
  assert.ok(acted >= 8);
});

const lost = recording.states.filter(({ unguarded }) => unguarded === 'lost');
const states = [...[true, false].map((hot) => lost.findLast(({ header }) => needsRecovery(header) === hot)), lost[0]];
for (const state of states) {
  test(`cut behind event ${state?.events}: recovered by stock cryptsetup and guarded, every byte is as it should be`, () => {
    assert.ok(state !== undefined);
    const plain = randomBytes(recording.deviceBytes);
    const encrypted = Buffer.from(encryptSectors(plain, recorded.volumeKey, 4096));
    plain.copy(encrypted, frontOfRecording, frontOfRecording);
    const isHot = needsRecovery(state.header);
    withFolder((path) => {
      const [header, data, key] = [path('header'), path('data'), path('key')];
      const file = Buffer.from(buildHeaderFile(state.header, recorded.passphrase, recorded.volumeKey));
      const piece = plain.subarray(0, mebibyte);
      // The journal holds the last piece, which is the first of the disk, and the disk has not got it yet.
      if (isHot) file.set(piece, Number(reencryptKeyslot(readLuks2Header(file).newest.metadata)?.[1].area.offset));
      writeFileSync(header, file);
      writeFileSync(data, isHot ? Buffer.concat([piece, encrypted.subarray(mebibyte)]) : encrypted);
      writeFileSync(key, recorded.passphrase, { mode: 0o600 });
      const common = ['-q', '--key-file', key, '--header', header, data];
      assert.equal(cryptsetup('repair', ...common).status, 0);
      const repaired = readFileSync(header);
      const verdict = finishReencryption(repaired, recording.deviceBytes);
      assert.ok(verdict.needed, 'the recovery alone leaves the header in the end window');
      for (const { offset, bytes } of verdict.writes) repaired.set(bytes, offset);
      writeFileSync(header, repaired);
      assert.notEqual(cryptsetup('reencrypt', '--resume-only', '--force-offline-reencrypt', ...common).status, 0);
      assert.ok(readFileSync(data).equals(encrypted));
    });
  });
}
