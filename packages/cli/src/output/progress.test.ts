import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, createProgress, durationText, type ProgressStyle, totalOf } from './progress.ts';

const mib = 1024 * 1024;

function recorder(style: ProgressStyle, language: 'en' | 'ja' = 'en') {
  let clock = 0;
  const written = { people: '', events: '' };
  const progress = createProgress({
    style,
    language,
    now: () => clock,
    people: { columns: 80, write: (text) => (written.people += text) },
    events: { write: (text) => (written.events += text) },
  });
  const at = (milliseconds: number, bytesDone: number, volume = '/data0'): void => {
    clock = milliseconds;
    progress.update({ volume, bytesDone, bytesTotal: 100 * mib, bytesPerSecond: 50 * mib, etaSeconds: 2 });
  };
  return { written, at, end: () => progress.end() };
}

test('json: events have exactly the keys that scripts read', () => {
  const { written, at } = recorder('json');
  at(0, mib);
  assert.equal(
    written.events,
    `{"event":"progress","volume":"/data0","bytesDone":${mib},"bytesTotal":${100 * mib},"bytesPerSecond":${50 * mib},"etaSeconds":2}\n`,
  );
  assert.equal(written.people, '');
});

test('json: one event a second at most, but start and finish of each volume always', () => {
  const { written, at } = recorder('json');
  for (let time = 0; time < 3000; time += 10) at(time, time * 1000);
  at(3001, 100 * mib);
  at(3002, 100 * mib);
  at(3003, 0, '/data1');
  const events = written.events
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; volume: string; bytesDone: number })
    .filter(({ event }) => event === 'progress');
  assert.equal(events.filter((event) => event.volume === '/data0').length, 4);
  assert.equal(events.at(-2)?.bytesDone, 100 * mib);
  assert.equal(events.at(-1)?.volume, '/data1');
});

test('lines: whole lines every ten seconds, in the reader’s language', () => {
  const english = recorder('lines');
  for (let time = 0; time <= 20_000; time += 500) english.at(time, 25 * mib);
  assert.equal(english.written.people, '/data0: 25.0% (25.0 MiB / 100.0 MiB), 50.0 MiB/s, 00:02 left\n'.repeat(3));
  const japanese = recorder('lines', 'ja');
  japanese.at(0, mib);
  assert.match(japanese.written.people, /残り 00:02\n$/);
});

test('bar: one line that is drawn again, and ended once', () => {
  const { written, at, end } = recorder('bar');
  at(0, 0);
  at(50, mib);
  at(200, 50 * mib);
  end();
  end();
  assert.equal(written.people.split('\r').length - 1, 2, 'the one in between came too soon');
  assert.match(written.people, /\[#{20}\.{20}\] {2}50\.0% 50\.0 MiB\/s 00:02/);
  assert.ok(written.people.endsWith('\n') && !written.people.endsWith('\n\n'));
});

test('100 % is said only when all is done, and none is nothing', () => {
  const { written, at } = recorder('lines');
  at(0, 100 * mib - 1);
  assert.match(written.people, /99\.9%/);
  const none = recorder('none');
  none.at(0, 100 * mib);
  none.end();
  assert.deepEqual(none.written, { people: '', events: '' });
});

test('amounts and durations', () => {
  assert.deepEqual([0, 1023, 1024, 1.5 * 1024 ** 3, 5 * 1024 ** 5].map(bytesText), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 GiB',
    '5.0 PiB',
  ]);
  assert.deepEqual([0, 0.2, 61, 3725].map(durationText), ['00:00', '00:01', '01:01', '1:02:05']);
});

test('several volumes: events of each and their sum; one bar with the sum', () => {
  const json = recorder('json');
  json.at(0, 20 * mib, '/a');
  json.at(0, 40 * mib, '/b');
  const total = json.written.events.trimEnd().split('\n').at(-1) ?? '';
  assert.deepEqual(JSON.parse(total), {
    event: 'total',
    volumes: 2,
    bytesDone: 60 * mib,
    bytesTotal: 200 * mib,
    bytesPerSecond: 100 * mib,
    etaSeconds: 2,
  });
  const bar = recorder('bar');
  bar.at(0, 20 * mib, '/a');
  bar.at(1000, 40 * mib, '/b');
  assert.match(bar.written.people, /2 volumes \[#+\.+\] +30\.0% 100\.0 MiB\/s/);
});

test('the sum ends with the volume that takes longest, and does not guess where one does not know', () => {
  const one = { bytesDone: mib, bytesTotal: 2 * mib, bytesPerSecond: 10, etaSeconds: 7 };
  const done = { volume: 'd', bytesDone: mib, bytesTotal: mib, bytesPerSecond: 99, etaSeconds: 0 };
  assert.equal(totalOf([{ ...one, volume: 'a' }, { ...one, volume: 'b', etaSeconds: 9 }, done], 'en').etaSeconds, 9);
  assert.equal(
    totalOf(
      [
        { ...one, volume: 'a' },
        { ...one, volume: 'b', etaSeconds: null },
      ],
      'en',
    ).etaSeconds,
    null,
  );
  assert.equal(totalOf([{ ...one, volume: 'a' }, done], 'en').bytesPerSecond, 10);
});
