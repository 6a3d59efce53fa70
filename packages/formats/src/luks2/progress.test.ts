import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finishReencryption } from './finish.ts';
import { readLuks2Header } from './header.ts';
import { type ReencryptionProgress, reencryptionProgress } from './progress.ts';
import { edited } from './testing/edit-header.ts';
import { loadRecording, recordingNames } from './testing/recording.ts';

const half = 4 * 1024 * 1024;
const whole = 2 * half;

function progressOf(header: Uint8Array, deviceBytes: number = whole): ReencryptionProgress {
  return reencryptionProgress(readLuks2Header(header).newest.metadata, deviceBytes);
}

for (const name of recordingNames) {
  const { states, deviceBytes, mode } = loadRecording(name);
  const steps = states.map(({ header }) => progressOf(header, deviceBytes));

  test(`${name}: progress goes from nothing to everything, in the pieces that cryptsetup made`, () => {
    const converted = steps.map(({ bytesConverted, pending }) => (pending ? bytesConverted : whole));
    assert.deepEqual([...new Set(converted)], [0, half, whole]);
    assert.deepEqual(
      converted,
      converted.toSorted((a, b) => a - b),
    );
    for (const { bytesTotal } of steps) assert.equal(bytesTotal, whole);
  });

  test(`${name}: mode, recovery and finish are told as they are`, () => {
    for (const [index, step] of steps.entries()) {
      assert.equal(step.mode, step.pending ? mode : null);
      assert.equal(
        step.awaitsFinish,
        finishReencryption(states[index]?.header ?? new Uint8Array(0), deviceBytes).needed,
      );
      if (step.awaitsFinish) assert.equal(step.bytesConverted, whole);
    }
    assert.ok(steps.some(({ needsRecovery }) => needsRecovery));
    assert.deepEqual([steps[0]?.needsRecovery, steps.at(-1)?.needsRecovery], [false, false]);
    assert.deepEqual([steps[0]?.pending, steps.at(-1)?.pending], [true, false]);
  });
}

test('encrypting: what is under conversion counts as not encrypted', () => {
  const { states } = loadRecording('encrypt-journal');
  const seen = new Set(states.map(({ header }) => progressOf(header).bytesEncrypted));
  assert.deepEqual([...seen], [0, half, whole]);
});

test('changing the key: everything is encrypted all the time', () => {
  const { states } = loadRecording('reencrypt-journal');
  assert.deepEqual([...new Set(states.map(({ header }) => progressOf(header).bytesEncrypted))], [whole]);
});

test('decrypting: encrypted is what is still to be decrypted', () => {
  const { states } = loadRecording('encrypt-journal');
  const header = edited(states[0]?.header ?? assert.fail('the recording is empty'), (json) => {
    const crypt = { ...json.segments['2'], flags: undefined };
    json.keyslots['1'].mode = 'decrypt';
    json.segments = {
      '0': { type: 'linear', offset: '0', size: String(half) },
      '1': { ...crypt, offset: String(half) },
      '2': { ...crypt, flags: ['backup-previous'] },
      '3': { type: 'linear', offset: '0', size: 'dynamic', flags: ['backup-final'] },
    };
    json.digests['0'].segments = ['1', '2'];
  });
  const { mode, bytesEncrypted, bytesConverted, bytesTotal, awaitsFinish } = progressOf(header);
  assert.deepEqual(
    { mode, bytesEncrypted, bytesConverted, bytesTotal, awaitsFinish },
    {
      mode: 'decrypt',
      bytesEncrypted: half,
      bytesConverted: half,
      bytesTotal: whole,
      awaitsFinish: false,
    },
  );
});

test('a device that is smaller than its segments gives no negative amounts', () => {
  const { states } = loadRecording('encrypt-journal');
  for (const { header } of states) {
    for (const size of [0, 1000, half + 1]) {
      const { bytesEncrypted, bytesConverted, bytesTotal } = progressOf(header, size);
      assert.ok(bytesEncrypted >= 0 && bytesEncrypted <= size && bytesConverted <= size && bytesTotal <= size);
    }
  }
});

test('a disk of 3 TiB: no number is cut to 32 bits, neither in bytes nor in sectors', () => {
  const deviceBytes = 3 * 1024 ** 4;
  const done = 2 * 1024 ** 4 + 5 * 4096;
  const { states } = loadRecording('encrypt-journal');
  const halfway = states.find(({ header }) => {
    const { pending, bytesConverted } = progressOf(header);
    return pending && bytesConverted === half;
  });
  const header = edited(halfway?.header ?? assert.fail('the recording has no such state'), (json) => {
    for (const segment of Object.values<{ size: string; offset: string }>(json.segments)) {
      if (segment.size === String(half)) segment.size = String(done);
      if (segment.offset === String(half)) segment.offset = String(done);
    }
  });
  const { bytesConverted, bytesTotal } = progressOf(header, deviceBytes);
  assert.deepEqual([bytesConverted, bytesTotal], [done, deviceBytes]);
});
