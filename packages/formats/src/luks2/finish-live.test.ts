import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readLuks2Header } from './header.ts';
import { encryptSectors } from './testing/build-header-file.ts';
import { cryptsetup } from './testing/cryptsetup.ts';
import { afterCutOf, guard, type MachineAfterCut } from './testing/machine-after-cut.ts';
import { loadRecording, type RecordedState } from './testing/recording.ts';

/** Recorded states of the end window, given to the machine's real cryptsetup with and without the guard. */
const recording = loadRecording('encrypt-journal');
const passphrase = Buffer.from(recording.passphrase, 'hex');
const volumeKey = Buffer.from(recording.volumeKey, 'hex');
const plain = randomBytes(recording.deviceBytes);
const encrypted = encryptSectors(plain, volumeKey, 4096);
const window = recording.states.filter(({ unguarded }) => unguarded === 'lost');

/** A machine after the power cut: everything is encrypted, and the header is as it was recorded. */
function afterCut(state: RecordedState | undefined, use: (machine: MachineAfterCut) => void): void {
  assert.ok(state !== undefined);
  afterCutOf(recording, state.header, encrypted, use);
}

test('without the guard, resuming in the end window encrypts everything twice, and says nothing', () => {
  afterCut(window[0], ({ data, resume }) => {
    assert.equal(resume(), 0);
    const after = readFileSync(data);
    assert.deepEqual(after, encryptSectors(encrypted, volumeKey, 4096));
  });
});

for (const state of [window[0], window[Math.floor(window.length / 2)], window.at(-1)]) {
  test(`with the guard it does not: cut behind event ${state?.events}`, () => {
    afterCut(state, (machine) => {
      guard(machine, recording.deviceBytes);
      assert.notEqual(machine.resume(), 0, 'there is nothing to resume');
      assert.ok(readFileSync(machine.data).equals(encrypted));
    });
  });
}

test('stock cryptsetup turns the guarded volume back into the plain data', () => {
  afterCut(window.at(-1), (machine) => {
    guard(machine, recording.deviceBytes);
    const { header, data } = machine;
    const key = `${header}.key`;
    writeFileSync(key, passphrase, { mode: 0o600 });
    const args = [
      'reencrypt',
      '--decrypt',
      '--force-offline-reencrypt',
      '-q',
      '--resilience',
      'none',
      '--key-file',
      key,
    ];
    const { status, stderr } = cryptsetup(...args, '--header', header, data);
    assert.equal(status, 0, stderr);
    assert.ok(readFileSync(data).equals(plain));
  });
});

test('stock cryptsetup finds nothing to repair in the guarded header, and both copies whole', () => {
  afterCut(window[0], (machine) => {
    guard(machine, recording.deviceBytes);
    const before = readFileSync(machine.header);
    assert.equal(cryptsetup('luksDump', machine.header).status, 0);
    assert.ok(readFileSync(machine.header).equals(before), 'cryptsetup would have repaired a broken copy by itself');
    assert.equal(readLuks2Header(before).newest.metadata.keyslots.size, 1);
  });
});
