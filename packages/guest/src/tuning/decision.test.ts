import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adiantumOffer, gain, worthFlags } from './decision.ts';
import type { MeasuredTuning } from './measure.ts';
import { plainTuning } from './tuning.ts';
import type { Workload } from './workloads.ts';

/** All workloads at 100 in three rounds, but for those that are given. */
function measured(speeds: Partial<Record<Workload, readonly number[]>> = {}): MeasuredTuning {
  const even = [100, 100, 100];
  return {
    tuning: plainTuning(4096),
    speeds: {
      'random read': even,
      'random write': even,
      'sequential read': even,
      'sequential write': even,
      ...speeds,
    },
  };
}

test('a gain is the median of the rounds, each compared within itself: a round in which all was slow does not count double', () => {
  const plain = measured({ 'random read': [100, 10, 100] });
  assert.equal(gain(measured({ 'random read': [110, 11, 500] }), plain, 'random read'), 1.1);
});

test('fewer than three rounds, or a speed of nothing, are no measurement', () => {
  const two = measured({ 'random read': [100, 100] });
  assert.equal(gain(two, two, 'random read'), null);
  assert.equal(gain(measured(), measured({ 'random read': [100, 0, 100] }), 'random read'), null);
  assert.equal(gain(measured(), two, 'random read'), null);
});

test('a work queue goes only where that brings something and costs nowhere', () => {
  const faster = [106, 106, 106];
  const slower = [96, 96, 96];
  const worth = (speeds: Parameters<typeof measured>[0]) => worthFlags(measured(speeds), measured());
  assert.deepEqual(worth({}), { read: false, write: false });
  assert.deepEqual(worth({ 'random read': faster }), { read: true, write: false });
  assert.deepEqual(worth({ 'sequential write': faster }), { read: false, write: true });
  assert.deepEqual(worth({ 'random read': faster, 'sequential read': slower }), { read: false, write: false });
  assert.deepEqual(worth({ 'random write': [300, 300], 'sequential write': faster }), { read: false, write: false });
  assert.deepEqual(worth({ 'random write': [104, 104, 104] }), { read: false, write: false });
});

test('Adiantum is offered from one and a half times the speed on, for reads and for writes', () => {
  const offer = (read: number, write: number) =>
    adiantumOffer(
      measured({ 'sequential read': [read, read, read], 'sequential write': [write, write, write] }),
      measured(),
    );
  assert.equal(offer(149, 400), null);
  assert.equal(offer(400, 149), null);
  assert.equal(offer(412, 263), 2.6);
});
