import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DiskRecord } from './disk-record.ts';
import { fateOf, tearable } from './fate.ts';
import { Random } from './random.ts';

const vm = { stateMiB: 1, dataMiB: 1 };
const firstData = 2048;
const folder = mkdtempSync(join(tmpdir(), 'kannuki-record-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Written {
  readonly at?: number;
  readonly sectors?: number;
  readonly flags?: number;
  readonly fill?: number;
  readonly mark?: string;
}
const flush: Written = { flags: 1 };
const [fua, isMark] = [2, 8];

/** A log as drivers/md/dm-log-writes.c writes it, with sectors of 512 bytes. */
function log(name: string, entries: readonly Written[]): void {
  const superBlock = Buffer.alloc(512);
  superBlock.writeBigUInt64LE(0x6a736677736872n, 0);
  superBlock.writeBigUInt64LE(1n, 8);
  superBlock.writeBigUInt64LE(BigInt(entries.length), 16);
  superBlock.writeUInt32LE(512, 24);
  const blocks = entries.map(({ at = 0, sectors = 0, flags = 0, fill = 0, mark }) => {
    const header = Buffer.alloc(512);
    header.writeBigUInt64LE(BigInt(at), 0);
    header.writeBigUInt64LE(BigInt(sectors), 8);
    header.writeBigUInt64LE(BigInt(mark === undefined ? flags : isMark), 16);
    header.writeBigUInt64LE(BigInt(mark?.length ?? 0), 24);
    if (mark !== undefined) header.write(mark, 32, 'latin1');
    return Buffer.concat([header, Buffer.alloc(sectors * 512, fill)]);
  });
  writeFileSync(join(folder, name), Buffer.concat([superBlock, ...blocks]));
}

/** State writes 1 and flushes; data writes 2 before that flush and flushes much later; state writes 3 with FUA. */
function exampleRecord(): DiskRecord {
  log('all.log', [
    { at: 8, sectors: 8, fill: 1 },
    { at: firstData + 64, sectors: 16, fill: 2 },
    flush,
    { at: 16, sectors: 8, flags: fua, fill: 3 },
    { mark: 'step:a' },
    { at: firstData + 64, sectors: 8, fill: 4 },
    flush,
  ]);
  log('state.log', [{ at: 8, sectors: 8, fill: 1 }, flush, { at: 16, sectors: 8, flags: fua, fill: 3 }]);
  log('data.log', [{ at: 64, sectors: 16, fill: 2 }, { at: 64, sectors: 8, fill: 4 }, flush]);
  return DiskRecord.open(folder, vm);
}

test('a flush makes lasting what its own disk had, and nothing of the other disk', () => {
  const record = exampleRecord();
  assert.deepEqual(record.unflushedBefore(2, 'state'), [0]);
  assert.deepEqual(record.unflushedBefore(3, 'state'), []);
  // The flush at entry 2 was the state's: data still waits, until its own at entry 6.
  assert.deepEqual(record.unflushedBefore(6, 'data'), [1, 5]);
  assert.deepEqual(record.unflushedBefore(7, 'data'), []);
});

test('a write with FUA is never lost, and what is never flushed always may be', () => {
  log('all.log', [
    { at: 16, sectors: 8, flags: fua },
    { at: firstData, sectors: 8 },
  ]);
  log('state.log', [{ at: 16, sectors: 8, flags: fua }]);
  log('data.log', [{ at: 0, sectors: 8 }]);
  const record = DiskRecord.open(folder, vm);
  assert.deepEqual(record.unflushedBefore(2, 'state'), []);
  assert.deepEqual(record.unflushedBefore(2, 'data'), [1]);
});

test('two writes under way together may have completed in another order at each recorder', () => {
  exampleRecord();
  log('data.log', [{ at: 64, sectors: 8, fill: 4 }, { at: 64, sectors: 16, fill: 2 }, flush]);
  const record = DiskRecord.open(folder, vm);
  assert.deepEqual(record.unflushedBefore(6, 'data'), [1, 5]);
  assert.deepEqual(record.unflushedBefore(7, 'data'), []);
});

test('logs that do not belong together are refused', () => {
  exampleRecord();
  log('data.log', [{ at: 72, sectors: 16 }, flush]);
  assert.throws(() => DiskRecord.open(folder, vm), /do not agree/);
});

test('each disk loses on its own: all of the data disk, nothing of the header disk', () => {
  const record = exampleRecord();
  const cut = { entry: 6, kind: 'unflushed-lost', loss: { state: 'none', data: 'all' }, aim: 'spread' } as const;
  const fate = fateOf(record, cut, 'ext4', new Random(1));
  assert.deepEqual(fate.lost, { state: { writes: 0, of: 0 }, data: { writes: 2, of: 2 } });
  const image = imageOf(record, 6, fate.kept);
  assert.equal(image[8 * 512], 1);
  assert.equal(image[16 * 512], 3);
  assert.equal(image[(firstData + 64) * 512], 0);
});

test('the replay leaves what the last write of each sector left, also where an earlier one was larger', () => {
  const record = exampleRecord();
  const image = imageOf(record, 7, (_, { sectors }) => sectors);
  assert.equal(image[(firstData + 64) * 512], 4);
  assert.equal(image[(firstData + 72) * 512], 2);
  assert.equal(image[(firstData + 80) * 512], 0);
});

test('a torn write is there up to a whole sector, inside of 4 KiB too, and old behind it', () => {
  const record = exampleRecord();
  const places = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const cut = { entry: 6, kind: 'torn', loss: null, aim: 'spread' } as const;
    const { torn, kept } = fateOf(record, cut, 'ext4', new Random(seed));
    assert.ok(torn);
    assert.equal(torn.entry, 5);
    places.add(torn.keptSectors);
    const image = imageOf(record, 6, kept);
    assert.equal(image[(firstData + 64 + torn.keptSectors) * 512 - 1], 4);
    assert.equal(image[(firstData + 64 + torn.keptSectors) * 512], 2);
  }
  assert.deepEqual(places, new Set([1, 2, 3, 4, 5, 6, 7]));
  // XFS takes its sector of 4096 bytes for atomic, and this write is one of them.
  assert.equal(tearable(record, 6, 'xfs'), undefined);
});

function imageOf(record: DiskRecord, cut: number, kept: Parameters<DiskRecord['replay']>[2]): Buffer {
  const path = join(folder, 'disk.img');
  writeFileSync(path, '');
  truncateSync(path, 2 * 1024 * 1024);
  record.replay(path, cut, kept);
  return readFileSync(path);
}
