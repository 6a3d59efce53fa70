import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempt, AttemptLimits, addressKey } from './attempt-limits.ts';

/** One attempt that fails at once. @returns seconds to wait, 0 where it was made */
function fail(limits: AttemptLimits, client: string, address: string, now: number): number {
  const attempt = limits.begin(client, address, now);
  if (typeof attempt === 'number') return attempt;
  attempt.failed(now);
  return 0;
}

function begin(limits: AttemptLimits, client: string, address: string, now: number): Attempt {
  const attempt = limits.begin(client, address, now);
  if (typeof attempt === 'number') assert.fail(`has to wait ${attempt} s`);
  return attempt;
}

test('five failures are free, then each makes the next wait longer, up to 15 minutes', () => {
  const limits = new AttemptLimits();
  let now = 0;
  for (let count = 0; count < 5; count += 1) assert.equal(fail(limits, 'a', '192.0.2.1', now), 0);
  const waits: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    const wait = fail(limits, 'a', '192.0.2.1', now);
    waits.push(wait);
    // A moment too early is too early, and waiting costs nothing more.
    assert.equal(fail(limits, 'a', '192.0.2.1', now + wait * 1000 - 1), 1);
    now += wait * 1000;
    assert.equal(fail(limits, 'a', '192.0.2.1', now), 0);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  // Half an hour of peace: all is forgotten.
  now += 30 * 60_000;
  for (let count = 0; count < 5; count += 1) assert.equal(fail(limits, 'a', '192.0.2.1', now), 0);
});

test('a locked pair locks neither the client elsewhere nor other clients of the address; a success clears it', () => {
  const limits = new AttemptLimits();
  for (let count = 0; count < 5; count += 1) fail(limits, 'a', '192.0.2.1', 0);
  assert.equal(limits.begin('a', '192.0.2.1', 0), 1);
  begin(limits, 'a', '192.0.2.2', 0).succeeded();
  begin(limits, 'b', '192.0.2.1', 0).succeeded();
  begin(limits, 'a', '192.0.2.1', 1000).succeeded();
  for (let count = 0; count < 5; count += 1) assert.equal(fail(limits, 'a', '192.0.2.1', 1000), 0);
});

test('a client under attack from many addresses is never shut out: a fresh address has one free attempt', () => {
  const limits = new AttemptLimits();
  for (let count = 0; count < 500; count += 1) fail(limits, 'a', `198.51.100.${count % 250}`, 0);
  begin(limits, 'a', '192.0.2.9', 0).succeeded();
  assert.equal(fail(limits, 'a', '192.0.2.10', 0), 0);
  assert.equal(limits.begin('a', '192.0.2.10', 0), 1);
  // Others are not touched by that.
  for (let count = 0; count < 5; count += 1) assert.equal(fail(limits, 'b', '192.0.2.10', 0), 0);
});

test('nothing that strangers do makes who knows the first characters of the secret wait', () => {
  const limits = new AttemptLimits();
  for (let count = 0; count < 300; count += 1) fail(limits, count % 2 === 0 ? 'a' : `c${count}`, '127.0.0.1', 0);
  assert.ok(typeof limits.begin('a', '127.0.0.1', 0) === 'number');
  const hinted = [1, 2, 3, 4, 5].map(() => limits.begin('a', '127.0.0.1', 0, 'hinted'));
  for (const attempt of hinted) {
    if (typeof attempt === 'number') assert.fail(`has to wait ${attempt} s`);
    attempt.failed(0);
  }
  assert.equal(limits.begin('a', '127.0.0.1', 0, 'hinted'), 1, 'and is held to limits of its own');
});

test('an address with 60 failures waits a minute at most, whatever the client', () => {
  const limits = new AttemptLimits();
  for (let count = 0; count < 60; count += 1) assert.equal(fail(limits, `c${count}`, '192.0.2.1', 0), 0);
  assert.equal(limits.begin('fresh', '192.0.2.1', 0), 1);
  let now = 0;
  for (let count = 0; count < 10; count += 1) {
    const wait = fail(limits, `d${count}`, '192.0.2.1', now);
    assert.ok(wait <= 60);
    now += wait * 1000;
    fail(limits, `d${count}`, '192.0.2.1', now);
  }
  assert.equal(limits.begin('fresh', '192.0.2.1', now), 60);
});

test('attempts under way count as failures: many at one time are no way round', () => {
  const limits = new AttemptLimits();
  const first = [1, 2, 3, 4, 5].map(() => begin(limits, 'a', '192.0.2.1', 0));
  assert.equal(limits.begin('a', '192.0.2.1', 0), 1);
  for (const attempt of first) attempt.abandoned();
  const again = [1, 2, 3, 4, 5].map(() => begin(limits, 'a', '192.0.2.1', 0));
  for (const attempt of again) attempt.failed(0);
  assert.equal(limits.begin('a', '192.0.2.1', 0), 1);
  begin(limits, 'a', '192.0.2.1', 1000);
  assert.equal(limits.begin('a', '192.0.2.1', 1000), 1, 'behind the free ones it goes one by one');
});

test('memory stays bounded however many clients and addresses come', () => {
  const limits = new AttemptLimits(100);
  for (let count = 0; count < 10_000; count += 1) fail(limits, `c${count}`, `2001:db8:${count.toString(16)}::1`, 0);
  assert.ok(limits.size <= 300, String(limits.size));
});

test('what counts as one place', () => {
  const table: readonly [string, string][] = [
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0DB8:0:0:ffff::1', '2001:db8:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ];
  for (const [address, key] of table) assert.equal(addressKey(address), key, address);
});
