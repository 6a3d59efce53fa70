import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { finishReencryption } from './finish.ts';
import { readLuks2Header } from './header.ts';
import { reencryptionProgress } from './progress.ts';
import { encryptSectors } from './testing/build-header-file.ts';
import { cryptsetup } from './testing/cryptsetup.ts';
import { afterCutOf, guard, type MachineAfterCut } from './testing/machine-after-cut.ts';
import { loadRecording, type RecordedState } from './testing/recording.ts';

/** The end window of a decryption, given to the machine's real cryptsetup: everything is plain, and it is told to resume. */
const recording = loadRecording('decrypt-journal');
const volumeKey = Buffer.from(recording.volumeKey, 'hex');
const plain = randomBytes(recording.deviceBytes);
const window = recording.states.filter(({ header }) => finishReencryption(header, recording.deviceBytes).needed);
const lost = window.filter(({ unguarded }) => unguarded === 'lost');
const stuck = window.filter(({ unguarded }) => unguarded === 'stuck');

/** A machine after the power cut: everything is plain, and the header is as it was recorded. */
function afterCut(state: RecordedState | undefined, use: (machine: MachineAfterCut) => void): void {
  assert.ok(state !== undefined);
  afterCutOf(recording, state.header, plain, use);
}

test('without the guard, resuming in the end window decrypts plain data, and says nothing', () => {
  afterCut(lost[0], ({ data, resume }) => {
    assert.equal(resume(), 0);
    const after = readFileSync(data);
    assert.ok(plain.equals(encryptSectors(after, volumeKey, 4096)), 'decrypted once too often');
  });
});

for (const state of [lost[0], lost.at(-1), stuck[0], stuck.at(-1)]) {
  test(`with the guard it does not: cut behind event ${state?.events}`, () => {
    afterCut(state, (machine) => {
      guard(machine, recording.deviceBytes);
      assert.notEqual(machine.resume(), 0, 'there is nothing to resume');
      assert.ok(readFileSync(machine.data).equals(plain));
    });
  });
}

test('the guarded header says that all is plain, holds no key any more, and no key slot was spared by the wipe', () => {
  afterCut(lost[0], (machine) => {
    const before = readFileSync(machine.header);
    const areas = [...readLuks2Header(before).newest.metadata.keyslots.values()].map(({ area }) => area);
    assert.equal(areas.length, 2);
    guard(machine, recording.deviceBytes);
    const after = readFileSync(machine.header);
    for (const area of areas) {
      const [from, to] = [Number(area?.offset), Number(area?.offset) + Number(area?.size)];
      assert.ok(!after.subarray(from, to).equals(before.subarray(from, to)));
    }
    const { metadata } = readLuks2Header(after).newest;
    assert.deepEqual([metadata.keyslots.size, metadata.digests.size], [0, 0]);
    const { pending, bytesEncrypted, bytesTotal } = reencryptionProgress(metadata, recording.deviceBytes);
    assert.deepEqual([pending, bytesEncrypted, bytesTotal], [false, 0, recording.deviceBytes]);
    assert.equal(cryptsetup('luksDump', machine.header).status, 0);
    assert.notEqual(machine.open(), 0, 'which is why plain-mapping.ts maps such a volume');
  });
});
