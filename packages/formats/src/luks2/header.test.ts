import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KannukiError } from '@kannuki/core';
import fc from 'fast-check';
import { finishReencryption } from './finish.ts';
import { type Luks2Header, readLuks2Header } from './header.ts';
import { reencryptionProgress } from './progress.ts';
import { damagedHeaders } from './testing/damaged-headers.ts';
import { damaged, edited } from './testing/edit-header.ts';
import { loadRecording } from './testing/recording.ts';

const recording = loadRecording('encrypt-journal');
const good = recording.states[0]?.header ?? assert.fail('the recording is empty');

function read(bytes: Uint8Array): Luks2Header | KannukiError {
  try {
    return readLuks2Header(bytes);
  } catch (error) {
    if (error instanceof KannukiError) return error;
    throw error;
  }
}

test('a header of cryptsetup is read', () => {
  const { primary, secondary, newest } = readLuks2Header(good);
  assert.equal(primary.state, 'newest');
  assert.equal(secondary.state, 'newest');
  assert.equal(newest.copy, 'primary');
  assert.equal(newest.headerSize, 16384);
  assert.match(newest.uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const { keyslots, segments, digests, config } = newest.metadata;
  const slot = keyslots.get(0);
  assert.ok(slot?.type === 'luks2' && slot.kdf.type === 'pbkdf2');
  assert.deepEqual([slot.keySize, slot.kdf.iterations, slot.antiForensic.stripes], [64, 1000, 4000]);
  assert.deepEqual(segments.get(0), { type: 'linear', offset: 0n, size: 'dynamic', flags: [], crypt: null });
  assert.deepEqual(segments.get(2), {
    type: 'crypt',
    offset: 0n,
    size: 'dynamic',
    flags: ['backup-final'],
    crypt: { encryption: 'aes-xts-plain64', ivTweak: 0n, sectorSize: 4096 },
  });
  assert.deepEqual(digests.get(0)?.segments, [2]);
  assert.deepEqual(config.requirements, ['online-reencrypt-v2']);
});

test('what we do not know is no reason to refuse a header', () => {
  const header = edited(good, (json) => {
    json.keyslots['5'] = { type: 'fido9', area: { offset: '0', size: '0', type: 'none', nested: [1.5e300] } };
    json.keyslots['6'] = { type: 'remote' };
    delete json.keyslots['5'].area.offset;
    json.segments['3'] = { type: 'cloud', offset: '0', size: '0' };
    json.digests['7'] = { type: 'sha3', keyslots: ['6'], segments: [] };
    json.news = { a: [null, true, { b: 'c' }] };
  });
  const { metadata } = readLuks2Header(header).newest;
  assert.deepEqual(metadata.keyslots.get(6), { type: 'other', area: null });
  assert.equal(metadata.segments.get(3)?.type, 'other');
  assert.equal(metadata.digests.get(7)?.pbkdf2, null);
});

const corpus = damagedHeaders(good);

for (const { name, bytes, verdict, problem } of corpus) {
  test(`damaged header: ${name}`, () => {
    const result = read(bytes);
    const isError = result instanceof KannukiError;
    assert.equal(isError ? result.code : result.newest.copy, verdict, isError ? result.message : '');
    if (problem === undefined) return;
    const said = isError ? result.details.primary : result.primary.state === 'invalid' ? result.primary.problem : '';
    assert.match(String(said), problem);
  });
}

test('the corpus has no name twice and leaves no verdict out', () => {
  assert.equal(new Set(corpus.map(({ name }) => name)).size, corpus.length);
  assert.deepEqual(new Set(corpus.map(({ verdict }) => verdict)).size, 4);
});

test('a stale copy is told from a broken one', () => {
  const old = damaged(good, (bytes) => {
    const last = recording.states.at(-1)?.header ?? assert.fail('the recording is empty');
    bytes.set(last.subarray(0, 16384));
  });
  const { primary, secondary } = readLuks2Header(old);
  assert.equal(primary.state, 'newest');
  assert.equal(secondary.state, 'stale');
});

/** Whatever the bytes are: a result or one of our errors, from each function that reads a header. */
function readEverything(bytes: Uint8Array): void {
  const header = read(bytes);
  if (header instanceof KannukiError) return;
  reencryptionProgress(header.newest.metadata, recording.deviceBytes);
  try {
    finishReencryption(bytes, recording.deviceBytes);
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
  }
}

test('random mutations of the bytes never crash the readers', () => {
  const mutation = fc.record({
    at: fc.oneof(fc.nat(600), fc.integer({ min: 4096, max: 6000 }), fc.nat(32767)),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  });
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), fc.option(fc.nat(32768)), (mutations, length) => {
      const bytes = damaged(good, (copy) => {
        for (const { at, bytes: patch } of mutations) copy.set(patch.subarray(0, copy.length - at), at);
      });
      readEverything(bytes.subarray(0, length ?? bytes.length));
    }),
    { numRuns: 300 },
  );
});

test('random mutations of JSON under right checksums never crash the readers', () => {
  const window = recording.states.find(({ unguarded }) => unguarded === 'lost')?.header ?? assert.fail('no such state');
  const value = fc.oneof(
    fc.constantFrom(
      '0',
      '1',
      '2',
      'dynamic',
      'crypt',
      'linear',
      '-1',
      '18446744073709551615',
      '',
      'luks2',
      'reencrypt',
      'none',
    ),
    fc.constantFrom(['backup-final'], ['backup-previous'], ['in-reencryption'], [], {}, ['0'], ['1'], ['0', '1']),
    fc.integer(),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const step = fc.record({ path: fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), value, remove: fc.boolean() });
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 4 }), (atStart, steps) => {
      readEverything(
        edited(atStart ? good : window, (json) => {
          for (const { path, value: next, remove } of steps) mutate(json, path, next, remove);
        }),
      );
    }),
    { numRuns: 500 },
  );
});

/** Follows numbers down the tree and changes what it comes to. */
function mutate(json: object, path: readonly number[], value: unknown, remove: boolean): void {
  let node = json as Record<string, unknown>;
  for (const [depth, number] of path.entries()) {
    const names = Object.keys(node);
    const name = names[number % Math.max(1, names.length)];
    if (name === undefined) return;
    const child = node[name];
    if (depth < path.length - 1 && typeof child === 'object' && child !== null) {
      node = child as Record<string, unknown>;
      continue;
    }
    if (remove) delete node[name];
    // A copy: the same value may come twice, and must not come to hold itself.
    else node[name] = structuredClone(value);
    return;
  }
}

test('8 MiB of hostile header is refused in time', () => {
  const huge = Buffer.alloc(8 * 1024 * 1024, '{"a":[');
  huge.set(good.subarray(0, 512));
  huge.writeBigUInt64BE(0x400000n, 8);
  const started = performance.now();
  assert.ok(read(huge) instanceof KannukiError);
  assert.ok(performance.now() - started < 5000);
});
