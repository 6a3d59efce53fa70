import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoalSignals } from './goal-signals.ts';

const never = new AbortController().signal;

test('a wake is for one VM, and for all who wait for it', async () => {
  const signals = new GoalSignals();
  const woken: string[] = [];
  const waits = ['a', 'a', 'b'].map((vm) => signals.wait(vm, 200, never).then(() => woken.push(vm)));
  signals.wake('a');
  await Promise.all(waits.slice(0, 2));
  assert.deepEqual(woken, ['a', 'a']);
  await Promise.all(waits);
});

test('a wait ends with its time, with its signal, and with the end of the server', async () => {
  const signals = new GoalSignals();
  await signals.wait('a', 10, never);
  await signals.wait('a', 60_000, AbortSignal.abort());
  const gone = new AbortController();
  const waiting = signals.wait('a', 60_000, gone.signal);
  gone.abort();
  await waiting;
  const others = ['a', 'b'].map((vm) => signals.wait(vm, 60_000, never));
  signals.wakeAll();
  await Promise.all(others);
});

test('one VM cannot hold any number of connections by waiting: the oldest are told to leave', async () => {
  const signals = new GoalSignals();
  const left: number[] = [];
  const waits = Array.from({ length: 6 }, async (_, index) => {
    if ((await signals.wait('a', 60_000, never)) === 'leave') left.push(index);
  });
  await Promise.all(waits.slice(0, 2));
  assert.deepEqual(left, [0, 1]);
  signals.wake('a');
  await Promise.all(waits);
  assert.deepEqual(left, [0, 1]);
});
