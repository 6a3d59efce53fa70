import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateBoth, frontFor, pays } from './estimate.ts';
import type { ExtGeometry } from './ext-geometry.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const groupBytes = 128 * mebibyte;

function geometry(sizeBytes: number, usedBytes: number, movedBytes = 0): ExtGeometry {
  const groups = sizeBytes / groupBytes;
  const usedInGroups = Array.from({ length: groups }, () => 0);
  usedInGroups[0] = usedBytes - movedBytes;
  usedInGroups[groups - 1] = movedBytes;
  const freeBytes = sizeBytes - usedBytes;
  return {
    blockBytes: 4096,
    sizeBytes,
    freeBytes,
    inodeTableBytes: 8 * mebibyte,
    usedInGroups,
    groupBytes,
    canBeResized: true,
    flex: null,
  };
}

const ordinary = { read: 300 * mebibyte, zeroesByCommand: false };
const thin = { ...ordinary, zeroesByCommand: true };

function estimate(deviceBytes: number, usedBytes: number, movedBytes = 0, speed = ordinary) {
  const frontBytes = frontFor(usedBytes, deviceBytes) ?? assert.fail('no front');
  return estimateBoth(geometry(deviceBytes, usedBytes, movedBytes), speed, { deviceBytes, frontBytes });
}

test('a large, fairly empty volume: the used space only, with a downtime that says what the shrinking takes', () => {
  const estimates = estimate(64 * gibibyte, 3 * gibibyte, 0, thin);
  assert.ok(pays(estimates, 10));
  assert.ok(estimates.usedOnly.bytes < 3.3 * gibibyte);
  assert.ok(estimates.usedOnly.downtimeSeconds > estimates.wholeDisk.downtimeSeconds);
});

test('blocks that have to be moved are downtime, and too much of it keeps the whole disk', () => {
  const estimates = estimate(64 * gibibyte, 4 * gibibyte, 3 * gibibyte, thin);
  assert.ok(estimates.usedOnly.downtimeSeconds > 20);
  assert.ok(!pays(estimates, 10));
  assert.ok(pays(estimates, 60));
});

test('a full volume, and a small one, keep the whole disk', () => {
  assert.ok(!pays(estimate(64 * gibibyte, 50 * gibibyte), 10));
  assert.ok(!pays(estimate(2 * gibibyte, 100 * mebibyte), 10));
});

test('a disk that takes zeros as a command is not written over, and its estimate says so', () => {
  const slow = estimate(64 * gibibyte, 3 * gibibyte);
  const quick = estimate(64 * gibibyte, 3 * gibibyte, 0, thin);
  assert.ok(quick.usedOnly.seconds < slow.usedOnly.seconds / 2);
  assert.equal(quick.wholeDisk.seconds, slow.wholeDisk.seconds);
});

test('the front leaves room for what is written until the unmount, in whole MiB; no front where nothing would be left out', () => {
  assert.equal(frontFor(100 * mebibyte + 4096, gibibyte), 165 * mebibyte);
  assert.equal(frontFor(10 * gibibyte, 64 * gibibyte), 10.5 * gibibyte);
  assert.equal(frontFor(150 * mebibyte, 160 * mebibyte), null);
});
