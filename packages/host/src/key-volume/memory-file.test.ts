import assert from 'node:assert/strict';
import { closeSync, fstatSync, linkSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { MemoryFile } from './memory-file.ts';

test('a memory file has its content, no name, and cannot be given one', () => {
  using file = new MemoryFile(Buffer.from('content'));
  const path = `/proc/self/fd/${file.descriptor}`;
  assert.equal(readFileSync(path, 'utf8'), 'content');
  assert.match(readlinkSync(path), /^\/dev\/shm\/#\d+ \(deleted\)$/);
  assert.equal(fstatSync(file.descriptor).nlink, 0);
  assert.equal(fstatSync(file.descriptor).mode & 0o777, 0o600);
  assert.throws(() => linkSync(path, '/dev/shm/kannuki-test-name'));
});

test('a wiped memory file is empty for everyone who has it open', () => {
  const content = Buffer.alloc(200_000, 'secret');
  using file = new MemoryFile(content);
  const other = openSync(`/proc/self/fd/${file.descriptor}`, 'r');
  try {
    file.wipe();
    assert.equal(readFileSync(other).length, 0);
  } finally {
    closeSync(other);
  }
});
