import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KannukiError } from '@kannuki/core';
import { type FinishPlan, finishReencryption } from './finish.ts';
import { readLuks2Header } from './header.ts';
import { reencryptionProgress } from './progress.ts';
import { damaged, edited, jsonText, type LooseJson } from './testing/edit-header.ts';
import { loadRecording, recordingNames } from './testing/recording.ts';

function planOf(header: Uint8Array, deviceBytes: number): FinishPlan {
  const verdict = finishReencryption(header, deviceBytes);
  assert.ok(verdict.needed);
  return verdict;
}

for (const name of recordingNames) {
  const { states, deviceBytes, events } = loadRecording(name);
  const end = states.at(-1)?.header ?? assert.fail('the recording is empty');
  const needsRecovery = (header: Uint8Array): boolean =>
    reencryptionProgress(readLuks2Header(header).newest.metadata, deviceBytes).needsRecovery;
  // A header with a piece under work is recovered first (by "open"), and the guard is asked about what that has made of it.
  const inWindow = states.filter(({ unguarded, header }) => unguarded !== 'intact' && !needsRecovery(header));

  test(`${name}: the guard acts exactly where stock cryptsetup loses data or gets stuck`, () => {
    assert.ok(inWindow.length >= 10);
    for (const { header, unguarded, events: count } of states.filter((state) => !needsRecovery(state.header))) {
      const { needed } = finishReencryption(header, deviceBytes);
      assert.equal(needed, unguarded !== 'intact', `cut behind event ${count} (${events[count - 1]}): ${unguarded}`);
    }
  });

  test(`${name}: outside of the window the guard tells unfinished from ended`, () => {
    const reasons = states
      .filter(({ unguarded, header }) => unguarded === 'intact' || needsRecovery(header))
      .map(({ header }) => finishReencryption(header, deviceBytes))
      .map((verdict) => (verdict.needed ? 'needed' : verdict.reason));
    const firstEnded = reasons.indexOf('not-reencrypting');
    assert.deepEqual(reasons, [
      ...reasons.slice(0, firstEnded).fill('unfinished'),
      ...reasons.slice(firstEnded).fill('not-reencrypting'),
    ]);
    assert.ok(firstEnded > 10);
  });

  test(`${name}: the header it makes is the one of the uninterrupted run, to the last byte of JSON`, () => {
    const wanted = jsonText(end, false);
    for (const { header } of inWindow) {
      const plan = planOf(header, deviceBytes);
      assert.equal(jsonText(plan.header, false), wanted);
      assert.equal(jsonText(plan.header, true), wanted);
      const before = readLuks2Header(header).newest;
      const after = readLuks2Header(plan.header);
      assert.equal(after.newest.sequenceId, before.sequenceId + 1n);
      assert.equal(after.newest.uuid, before.uuid);
      assert.deepEqual([after.primary.state, after.secondary.state], ['newest', 'newest']);
      assert.deepEqual(finishReencryption(plan.header, deviceBytes), { needed: false, reason: 'not-reencrypting' });
    }
  });

  test(`${name}: a cut while the guard writes leaves the guard's work, or the end of it`, () => {
    for (const { header } of inWindow) {
      const plan = planOf(header, deviceBytes);
      for (const [index, { offset, bytes }] of plan.writes.entries()) {
        for (const torn of [0, 448, 512, 4096, 4608, 8192, bytes.length]) {
          const disk = damaged(header, (copy) => {
            for (const earlier of plan.writes.slice(0, index)) copy.set(earlier.bytes, earlier.offset);
            copy.set(bytes.subarray(0, torn), offset);
          });
          const again = finishReencryption(disk, deviceBytes);
          const finished = again.needed ? again.header : disk;
          const { copy } = readLuks2Header(finished).newest;
          assert.equal(jsonText(finished, copy === 'secondary'), jsonText(end, false));
        }
      }
    }
  });

  test(`${name}: what it wipes is the reencryption's work area and the slots of a key that is gone`, () => {
    const before = readLuks2Header(inWindow[0]?.header ?? end).newest.metadata;
    const after = readLuks2Header(end).newest.metadata;
    const gone = [...before.keyslots].filter(([id]) => !after.keyslots.has(id)).map(([, slot]) => slot.area);
    const { wipe } = planOf(inWindow[0]?.header ?? end, deviceBytes);
    assert.deepEqual(
      wipe.toSorted((a, b) => a.offset - b.offset),
      gone
        .map((area) => ({ offset: Number(area?.offset), length: Number(area?.size) }))
        .toSorted((a, b) => a.offset - b.offset),
    );
  });
}

const { states, deviceBytes } = loadRecording('encrypt-journal');
const window = states.find(({ unguarded }) => unguarded === 'lost')?.header ?? assert.fail('no such state');
const start = states[0]?.header ?? assert.fail('the recording is empty');

function doubtOf(header: Uint8Array, deviceSizeBytes: number = deviceBytes): string {
  try {
    finishReencryption(header, deviceSizeBytes);
  } catch (error) {
    if (error instanceof KannukiError && error.code === 'KNK-FMT-0103') return String(error.details.seen);
    throw error;
  }
  return 'no doubt';
}

const doubts: readonly (readonly [string, (json: LooseJson) => void, RegExp])[] = [
  [
    'no reencryption slot',
    (json) => {
      delete json.keyslots['1'];
      delete json.digests['1'];
    },
    /slot is gone/,
  ],
  [
    'no requirement',
    (json) => {
      delete json.config.requirements;
    },
    /without the requirement/,
  ],
  [
    'an old requirement',
    (json) => {
      json.config.requirements.mandatory = ['online-reencrypt'];
    },
    /requirements online-reencrypt$/,
  ],
  [
    'one more requirement',
    (json) => {
      json.config.requirements.mandatory.push('future');
    },
    /requirements .*future/,
  ],
  [
    'no notes',
    (json) => {
      delete json.segments['1'];
      delete json.segments['2'];
      json.digests['0'].segments = ['0'];
    },
    /backup segment is missing/,
  ],
  [
    'decryption',
    (json) => {
      json.keyslots['1'].mode = 'decrypt';
    },
    /direction forward/,
  ],
  [
    'decryption to ciphertext',
    (json) => {
      json.keyslots['1'].mode = 'decrypt';
      json.keyslots['1'].direction = 'backward';
    },
    /to a crypt segment/,
  ],
  [
    'the wrong mode',
    (json) => {
      json.keyslots['1'].mode = 'reencrypt';
    },
    /mode reencrypt from a linear/,
  ],
  [
    'backward, but not as front-only.ts begins it',
    (json) => {
      json.keyslots['1'].direction = 'backward';
      json.keyslots['1'].area.type = 'checksum';
    },
    /backward/,
  ],
  [
    'a data shift',
    (json) => {
      json.keyslots['1'].area.type = 'datashift';
    },
    /datashift/,
  ],
  [
    'a moved segment',
    (json) => {
      json.segments['3'] = { ...json.segments['1'], flags: ['backup-moved-segment'] };
    },
    /moved/,
  ],
  [
    'a live segment with another key',
    (json) => {
      json.digests['0'].segments = ['2'];
      json.digests['1'].segments = ['0'];
    },
    /none of the backup/,
  ],
  [
    'a live segment with another cipher',
    (json) => {
      json.segments['0'].encryption = 'serpent-xts-plain64';
    },
    /none of the backup/,
  ],
  [
    'a live segment with other sectors',
    (json) => {
      json.segments['0'].sector_size = 512;
    },
    /none of the backup/,
  ],
  [
    'a live segment with another start of its tweak',
    (json) => {
      json.segments['0'].iv_tweak = '8';
    },
    /none of the backup/,
  ],
  [
    'a live segment elsewhere',
    (json) => {
      json.segments['0'].offset = '4096';
    },
    /none of the backup/,
  ],
  [
    'notes that are equal',
    (json) => {
      json.segments['1'] = { ...json.segments['2'], flags: ['backup-previous'] };
      json.digests['0'].segments = ['0', '1', '2'];
    },
    /equals both/,
  ],
  [
    'a live segment that is shorter than the device',
    (json) => {
      json.segments['0'].size = '4194304';
    },
    /covers 4194304 of 8388608/,
  ],
  [
    'a live segment that is longer than the device',
    (json) => {
      json.segments['0'].size = '83886080';
    },
    /covers 83886080 of 8388608/,
  ],
  [
    'a live segment with two keys',
    (json) => {
      json.digests['1'].segments = ['0', '2'];
    },
    /not one digest/,
  ],
  [
    'no slot for the key',
    (json) => {
      json.digests['0'].keyslots = [];
      json.digests['1'].keyslots = ['0', '1'];
    },
    /no key slot/,
  ],
  [
    'room before the data',
    (json) => {
      for (const id of ['0', '1', '2']) json.segments[id].offset = '1048576';
    },
    /room between/,
  ],
];

for (const [what, change, seen] of doubts) {
  test(`in doubt it says so and does nothing: ${what}`, () => {
    assert.match(doubtOf(edited(window, change)), seen);
  });
}

const plainWindow =
  loadRecording('decrypt-journal').states.find(({ header }) => finishReencryption(header, deviceBytes).needed)
    ?.header ?? assert.fail('no such state');

const plainDoubts: readonly (readonly [string, (json: LooseJson) => void, RegExp])[] = [
  [
    'forward',
    (json) => {
      json.keyslots['1'].direction = 'forward';
    },
    /direction forward/,
  ],
  [
    'plain before and after',
    (json) => {
      json.segments['1'] = { ...json.segments['2'], offset: '4096', flags: ['backup-previous'] };
      json.digests['0'].segments = [];
    },
    /from a linear/,
  ],
  [
    'plain data that is not at the begin',
    (json) => {
      for (const id of ['0', '2']) json.segments[id].offset = '4096';
    },
    /from byte 4096/,
  ],
  [
    'a part only',
    (json) => {
      json.segments['0'].size = '4194304';
    },
    /covers 4194304/,
  ],
];

for (const [what, change, seen] of plainDoubts) {
  test(`in doubt about a decryption: ${what}`, () => {
    assert.match(doubtOf(edited(plainWindow, change)), seen);
  });
}

for (const size of [0, -1, Number.NaN, 8388608.5, 2 ** 60, 8388608 + 512]) {
  test(`in doubt about a device of ${size} bytes`, () => {
    assert.match(doubtOf(window, size), /a device of/);
  });
}

test('a live segment of exactly the size of the device is as good as one to its end', () => {
  const header = edited(window, (json) => {
    json.segments['0'].size = String(deviceBytes);
  });
  assert.equal(planOf(header, deviceBytes).needed, true);
});

test('work that is left is never taken for finished', () => {
  assert.deepEqual(finishReencryption(start, deviceBytes), { needed: false, reason: 'unfinished' });
  const hot = edited(window, (json) => {
    json.segments['0'].flags = ['in-reencryption'];
  });
  assert.deepEqual(finishReencryption(hot, deviceBytes), { needed: false, reason: 'unfinished' });
});

test('unknown members and other tokens survive the finish', () => {
  const header = edited(window, (json) => {
    json.tokens['3'] = { type: 'x', keyslots: ['0', '1'], big: 0, text: 'ü"\\/\n' };
    json.extra = [1];
  });
  const after = JSON.parse(jsonText(planOf(header, deviceBytes).header, false));
  assert.deepEqual(after.tokens['3'], { type: 'x', keyslots: ['0'], big: 0, text: 'ü"\\/\n' });
  assert.deepEqual(after.extra, [1]);
});

test('the copy that is worth less is written first', () => {
  const both = states.findLast(({ unguarded, header: bytes }) => {
    const { primary, secondary } = readLuks2Header(bytes);
    return unguarded === 'lost' && primary.state === 'newest' && secondary.state === 'newest';
  });
  const whole = both?.header ?? assert.fail('no such state');
  const broken = (at: number): Uint8Array => damaged(whole, (bytes) => bytes.fill(0, at, at + 16384));
  assert.deepEqual(
    planOf(broken(0), deviceBytes).writes.map(({ offset }) => offset),
    [0, 16384],
  );
  assert.deepEqual(
    planOf(broken(16384), deviceBytes).writes.map(({ offset }) => offset),
    [16384, 0],
  );
});
