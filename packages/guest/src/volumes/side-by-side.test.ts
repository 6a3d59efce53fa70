import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sideBySide } from './side-by-side.ts';

/** Runs jobs that each take two turns, and notes which ran at one time. */
async function together(jobs: readonly { target: string; disks: readonly string[] }[]) {
  const running = new Set<string>();
  const pairs = new Set<string>();
  const order: string[] = [];
  const outcomes = await sideBySide(jobs, async (target) => {
    for (const other of running) pairs.add([other, target].sort().join('+'));
    running.add(target);
    order.push(target);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running.delete(target);
    if (target === 'bad') throw new Error('it failed');
    return target.toUpperCase();
  });
  return { outcomes, pairs: [...pairs].sort(), order };
}

test('volumes on different disks at one time, those that share a disk one after the other, in their order', async () => {
  const { pairs, order, outcomes } = await together([
    { target: 'a1', disks: ['a'] },
    { target: 'a2', disks: ['a'] },
    { target: 'b1', disks: ['b'] },
    { target: 'raid', disks: ['a', 'b'] },
  ]);
  assert.ok(pairs.includes('a1+b1'));
  assert.ok(!pairs.includes('a1+a2') && !pairs.some((pair) => pair.includes('raid')));
  assert.ok(order.indexOf('a1') < order.indexOf('a2'));
  assert.equal(order.at(-1), 'raid');
  assert.deepEqual(
    outcomes.map((outcome) => 'result' in outcome && outcome.result),
    ['A1', 'A2', 'B1', 'RAID'],
  );
});

test('one that fails does not stop the others, not even on its disk', async () => {
  const { outcomes } = await together([
    { target: 'bad', disks: ['a'] },
    { target: 'good', disks: ['a'] },
  ]);
  assert.ok(outcomes[0] !== undefined && 'error' in outcomes[0]);
  assert.deepEqual(outcomes[1], { target: 'good', result: 'GOOD' });
});
