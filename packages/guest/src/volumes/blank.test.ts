import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { run } from '@kannuki/core';
import { placesToRead, tracesOn } from './blank.ts';

const mebibyte = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'kannuki-blank-'));
after(() => rmSync(folder, { recursive: true }));

function disk(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return path;
}

function put(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

describe('what shows that a device is not blank', () => {
  test('nothing on it', async () => {
    for (const bytes of [4 * mebibyte, 400 * mebibyte]) {
      assert.equal(await tracesOn(run, disk('blank', bytes), bytes), 'nothing');
    }
  });

  test('a file system, swap space, a partition table', async () => {
    const path = disk('signed', 40 * mebibyte);
    execFileSync('mkfs.ext4', ['-q', path]);
    assert.equal(await tracesOn(run, path, 40 * mebibyte), 'signature');
    const swap = disk('swap', 40 * mebibyte);
    execFileSync('mkswap', ['--quiet', swap], { stdio: 'ignore' });
    assert.equal(await tracesOn(run, swap, 40 * mebibyte), 'signature');
    const table = disk('table', 40 * mebibyte);
    execFileSync('sfdisk', ['--quiet', table], { input: 'label: gpt\n' });
    assert.equal(await tracesOn(run, table, 40 * mebibyte), 'partition-table');
  });

  test('a single byte at the very begin or end', async () => {
    const bytes = 400 * mebibyte;
    for (const offset of [0, bytes - 1]) {
      const path = disk('byte', bytes);
      put(path, offset, Uint8Array.of(1));
      assert.equal(await tracesOn(run, path, bytes), 'data');
    }
  });

  test('data without a signature anywhere in between, if it is as large as what lies between two pieces', async () => {
    const bytes = 400 * mebibyte;
    for (const part of [0.1, 0.37, 0.5, 0.93]) {
      const path = disk('somewhere', bytes);
      put(path, Math.floor(bytes * part), Buffer.alloc(2 * mebibyte, 7));
      assert.equal(await tracesOn(run, path, bytes), 'data', String(part));
    }
  });

  test('a device that ends before its size is not blank', async () => {
    assert.equal(await tracesOn(run, disk('short', mebibyte), 4 * mebibyte), 'data');
  });
});

test('pieces lie on the device, do not overlap, and begin and end it', () => {
  for (const size of [512, 18 * mebibyte, 18 * mebibyte + 512, 1024 ** 3 + 512, 4 * 1024 ** 4]) {
    const places = placesToRead(size);
    let end = 0;
    for (const { offset, length } of places) {
      assert.ok(offset >= end, `${size}: ${offset}`);
      end = offset + length;
    }
    assert.equal(places[0]?.offset, 0);
    assert.equal(end, size);
  }
});
