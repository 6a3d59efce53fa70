import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { claimsGpt, type Gpt, gptStartBytes, readGpt } from './gpt.ts';
import { growPartition, largestLastLba, type TableWrite } from './grow-partition.ts';

const mebibyte = 1024 * 1024;
const before = 24 * mebibyte;
const after = 32 * mebibyte;
const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
const table = ['size=8M, type=linux, name=first', 'size=10M, type=lvm, name=second, attrs="LegacyBIOSBootable"'];

/** A disk as sfdisk(8) partitions it, which has been made larger since. */
function withDisk(look: (disk: string) => void, lines: readonly string[] = table): void {
  const folder = mkdtempSync(join(tmpdir(), 'kannuki-gpt-'));
  try {
    const disk = join(folder, 'disk');
    writeFileSync(disk, '');
    truncateSync(disk, before);
    execFileSync('sfdisk', ['--quiet', '--label', 'gpt', disk], { env: environment, input: `${lines.join('\n')}\n` });
    truncateSync(disk, after);
    look(disk);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function startOf(disk: string): Uint8Array {
  const file = openSync(disk, 'r');
  try {
    // A Buffer, as files give it.
    const start = Buffer.alloc(gptStartBytes);
    readSync(file, start);
    return start;
  } finally {
    closeSync(file);
  }
}

function write(disk: string, writes: readonly TableWrite[]): void {
  const file = openSync(disk, 'r+');
  try {
    for (const { offset, bytes } of writes) writeSync(file, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(file);
  }
}

function planFor(gpt: Gpt, lastLba = largestLastLba(gpt, after)): readonly (readonly TableWrite[])[] {
  const plan = growPartition(gpt, { diskBytes: after, number: 2, lastLba });
  if (typeof plan === 'string') return assert.fail(plan);
  return plan;
}

test('the grown table is what sfdisk reads without a complaint, and all else of it is as it was', () => {
  withDisk((disk) => {
    const old = sfdiskOf(disk);
    for (const group of planFor(readGpt(startOf(disk), 512))) write(disk, group);
    const { partitions, ...head } = sfdiskOf(disk);
    const { partitions: oldPartitions, ...oldHead } = old;
    assert.deepEqual(head, { ...oldHead, lastlba: after / 512 - 34 });
    const { start } = oldPartitions[1] ?? assert.fail();
    assert.deepEqual(partitions, [oldPartitions[0], { ...oldPartitions[1], size: after / 512 - 33 - Number(start) }]);
    const verified = spawnSync('sfdisk', ['--verify', disk], { env: environment });
    assert.deepEqual([verified.status, verified.stderr.toString()], [0, '']);
    const { protectiveMbr } = readGpt(startOf(disk), 512);
    assert.equal(new DataView(protectiveMbr.buffer).getUint32(446 + 12, true), after / 512 - 1);
  });
});

test('whatever part of the writes has reached the disk, the primary table is whole, and the same again ends it', () => {
  withDisk((disk) => {
    const gpt = readGpt(startOf(disk), 512);
    const plan = planFor(gpt);
    const image = readFileSync(disk);
    const oldLast = gpt.partitions[1]?.lastLba;
    const seen: (number | undefined)[] = [];
    for (const [index, group] of plan.entries()) {
      const sectors = group.flatMap(sectorsOf);
      // None of the group, all of it, and subsets of its sectors: a disk's cache keeps no order.
      for (let cut = 0; cut < 12; cut++) {
        const kept = sectors.filter((_, sector) =>
          cut === 0 ? false : cut === 1 || hash(index, cut, sector) % 2 === 0,
        );
        writeFileSync(disk, image);
        write(disk, [...plan.slice(0, index).flat(), ...kept]);
        const found = readGpt(startOf(disk), 512);
        const last = found.partitions[1]?.lastLba;
        seen.push(last);
        assert.ok(last === oldLast || last === largestLastLba(gpt, after), `group ${index}, cut ${cut}`);
        for (const again of planFor(found)) write(disk, again);
        const ended = readGpt(startOf(disk), 512);
        assert.deepEqual([ended.partitions[1]?.lastLba, ended.entriesLba], [largestLastLba(gpt, after), 2]);
        if (cut === 2)
          assert.equal(spawnSync('sfdisk', ['--verify', disk], { env: environment }).stderr.toString(), '');
      }
    }
    assert.deepEqual(new Set(seen), new Set([oldLast, largestLastLba(gpt, after)]));
  });
});

test('written in place, the way of other tools, a cut between array and header leaves no table', () => {
  withDisk((disk) => {
    const [, array] = planFor(readGpt(startOf(disk), 512));
    write(disk, [{ offset: 2 * 512, bytes: array?.[0]?.bytes ?? assert.fail() }]);
    assert.throws(
      () => readGpt(startOf(disk), 512),
      (error) => hasCode(error, 'KNK-FMT-0401'),
    );
  });
});

test('what cannot be done is told', () => {
  withDisk((disk) => {
    const gpt = readGpt(startOf(disk), 512);
    const most = largestLastLba(gpt, after);
    const tried = (number: number, lastLba: number, diskBytes = after) =>
      growPartition(gpt, { diskBytes, number, lastLba });
    assert.equal(tried(3, most), 'unknown');
    assert.equal(tried(1, most), 'not-last');
    assert.equal(tried(2, most + 1), 'beyond-end');
    assert.equal(tried(2, 40_000, before - mebibyte), 'beyond-end');
    assert.equal(tried(2, 20_000), 'shrinks');
  });
  withDisk(
    (disk) => {
      assert.equal(
        growPartition(readGpt(startOf(disk), 512), { diskBytes: after, number: 1, lastLba: 60_000 }),
        'no-room-for-table',
      );
    },
    ['first-lba: 34', 'start=34, size=8M'],
  );
});

test('a table that is not whole is refused, one of another kind is none', () => {
  withDisk((disk) => {
    const start = startOf(disk);
    for (const offset of [512 + 9, 512 + 41, 1024 + 40, 512 + 20]) {
      const spoiled = new Uint8Array(start);
      spoiled[offset] = (spoiled[offset] ?? 0) ^ 1;
      assert.throws(
        () => readGpt(spoiled, 512),
        (error) => hasCode(error, 'KNK-FMT-0401'),
        `byte ${offset}`,
      );
    }
    assert.equal(claimsGpt(start, 4096), false);
  });
});

function sectorsOf({ offset, bytes }: TableWrite): readonly TableWrite[] {
  return Array.from({ length: Math.ceil(bytes.length / 512) }, (_, index) => ({
    offset: offset + index * 512,
    bytes: bytes.subarray(index * 512, (index + 1) * 512),
  }));
}

/** Some bits that do not follow a pattern of the sectors. */
function hash(...values: readonly number[]): number {
  return values.reduce((sum, value) => Math.imul(sum ^ value, 0x9e3779b1) >>> 7, 12345);
}

interface SfdiskTable {
  readonly partitions: readonly Readonly<Record<string, unknown>>[];
}

function sfdiskOf(disk: string): SfdiskTable {
  return JSON.parse(execFileSync('sfdisk', ['--json', disk], { env: environment }).toString()).partitiontable;
}
