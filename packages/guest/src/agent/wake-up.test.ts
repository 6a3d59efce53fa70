import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.ts';
import { WakeUp } from './wake-up.ts';

const never = new AbortController().signal;

async function timeOf(work: Promise<void>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

test('a sleep ends at its time, at a wake, at an abort; a wake before it counts', async () => {
  const wakeUp = new WakeUp();
  assert.ok((await timeOf(wakeUp.sleep(30, never))) >= 25);
  setTimeout(() => wakeUp.wake(), 10);
  assert.ok((await timeOf(wakeUp.sleep(5000, never))) < 2000);
  wakeUp.wake();
  assert.ok((await timeOf(wakeUp.sleep(5000, never))) < 100);
  assert.ok((await timeOf(wakeUp.sleep(30, never))) >= 25, 'a wake is used up');
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 10);
  assert.ok((await timeOf(wakeUp.sleep(5000, stop.signal))) < 2000);
  assert.ok((await timeOf(wakeUp.sleep(5000, stop.signal))) < 100);
});

test('waits double up to their bound, with a random quarter less, and begin anew', () => {
  const backoff = new Backoff(100, 1000);
  const waits = Array.from({ length: 6 }, () => backoff.nextMilliseconds());
  for (const [index, most] of [100, 200, 400, 800, 1000, 1000].entries()) {
    const wait = waits[index] ?? 0;
    assert.ok(wait <= most && wait >= most * 0.75, `${wait} of ${most}`);
  }
  backoff.reset();
  assert.ok(backoff.nextMilliseconds() <= 100);
});
