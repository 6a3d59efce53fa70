import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { defaultPaths } from '../paths.ts';
import { BackOff, usualLimits } from './back-off.ts';
import { fullPace, PaceFile } from './pace-file.ts';
import { RateLimit } from './rate-limit.ts';
import { meanWait, trafficOf } from './waiting.ts';

const state = mkdtempSync(join(tmpdir(), 'kannuki-pace-'));
after(() => rmSync(state, { recursive: true }));

test('a pace is lasting, full pace is no file, and nonsense is an error and not full pace', async () => {
  const file = new PaceFile({ ...defaultPaths, state });
  assert.deepEqual(await file.read('kn_a'), fullPace);
  await file.write('kn_a', { paused: true, maximumRate: 5_000_000 });
  assert.deepEqual(await file.read('kn_a'), { paused: true, maximumRate: 5_000_000 });
  assert.deepEqual(await file.read('kn_b'), fullPace);
  await file.write('kn_a', fullPace);
  assert.deepEqual(await file.read('kn_a'), fullPace);
  for (const text of ['', '{', 'null', '{"paused":1,"maximumRate":null}', '{"paused":false,"maximumRate":1}']) {
    writeFileSync(join(state, 'pace/kn_a.json'), text);
    await assert.rejects(file.read('kn_a'), (error) => hasCode(error, 'KNK-VOL-0001'));
  }
});

test('the average rate is kept, whatever the disk can do', () => {
  const rate = 50_000_000;
  const speed = 400_000_000;
  let now = 0;
  const limit = new RateLimit(rate, now);
  let bytes = 0;
  let rests = 0;
  while (now < 600_000) {
    now += 1000;
    bytes += speed;
    const rest = limit.worked(speed, now);
    if (rest > 0) rests += 1;
    now += rest;
  }
  const average = (bytes / now) * 1000;
  assert.ok(Math.abs(average / rate - 1) < 0.02, `${average}`);
  assert.ok(rests > 50);
});

test('a disk that is slower than its rate never rests', () => {
  const limit = new RateLimit(50_000_000, 0);
  for (let second = 1; second < 100; second++) assert.equal(limit.worked(40_000_000, second * 1000), 0);
});

/** A volume whose programs ask for 100 things a second and wait so long for each, ms. */
class Programs {
  #requests = 0;
  #waited = 0;

  second(wait: number) {
    this.#requests += 100;
    this.#waited += 100 * wait;
    return { requests: this.#requests, waitedMilliseconds: this.#waited };
  }
}

test('the work steps back when programs wait for long, again and again, and only for so long', () => {
  const backOff = new BackOff(0);
  const programs = new Programs();
  let now = 0;
  let running = 0;
  let resting = 0;
  while (now < 600_000) {
    now += 1000;
    running += 1000;
    const during = programs.second(300);
    const rest = backOff.look(during, now);
    if (rest === 0) continue;
    now += rest;
    resting += rest;
    backOff.rested(during, programs.second(2), now);
  }
  assert.ok(resting / now > 0.3, `${resting / now}`);
  assert.ok(running >= resting, 'at least half of the time is work');
});

test('quick answers, few requests and one slow second do not stop the work', () => {
  const backOff = new BackOff(0);
  const programs = new Programs();
  for (let second = 1; second < 100; second++) {
    assert.equal(backOff.look(programs.second(second % 10 === 0 ? 500 : 5), second * 1000), 0);
  }
  assert.equal(meanWait({ requests: 0, waitedMilliseconds: 0 }, { requests: 3, waitedMilliseconds: 9000 }), undefined);
});

test('a disk that is slow by itself is not the doing of the work: it is not rested for again soon', () => {
  const backOff = new BackOff(0);
  const programs = new Programs();
  let now = 0;
  let rests = 0;
  while (now < 60_000) {
    now += 1000;
    const during = programs.second(300);
    const rest = backOff.look(during, now);
    if (rest === 0) continue;
    rests += 1;
    now += rest;
    backOff.rested(during, programs.second(290), now);
  }
  assert.equal(rests, 1);
  assert.ok(usualLimits.pardon >= 50_000);
});

test('the traffic of a mapping is read as the kernel writes it', async () => {
  const sysfs = join(state, 'sys');
  mkdirSync(join(sysfs, 'block/dm-0'), { recursive: true });
  writeFileSync(
    join(sysfs, 'block/dm-0/stat'),
    '     128        0     5120       40       30        0      900      700        0       88      740        0        0        0        0        0        0\n',
  );
  assert.deepEqual(await trafficOf('dm-0', sysfs), { requests: 158, waitedMilliseconds: 740 });
  assert.equal(await trafficOf('dm-9', sysfs), undefined);
});
