import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Change, WriteQueue } from './write-queue.ts';

/** A queue that notes what was committed together. */
function noted(commit: (names: readonly unknown[]) => void = () => undefined) {
  const batches: unknown[][] = [];
  const queue = new WriteQueue((changes) => {
    const names = changes.map(({ result }) => result);
    commit(names);
    batches.push(names);
  });
  const write = (lock: string | null, name: string): Promise<string> => queue.run(lock, async () => change(name));
  return { batches, queue, write };
}

function change(result: string): Change<string> {
  return { result, removed: [], added: [], apply: () => undefined };
}

describe('the queue of writes', () => {
  it('commits together what concerns different objects, and in order what concerns the same', async () => {
    const { batches, write } = noted();
    const calls: readonly (readonly [string | null, string])[] = [
      ['a', 'a1'],
      ['b', 'b1'],
      ['a', 'a2'],
      ['c', 'c1'],
      ['a', 'a3'],
    ];
    const results = await Promise.all(calls.map(([lock, name]) => write(lock, name)));
    assert.deepEqual(results, ['a1', 'b1', 'a2', 'c1', 'a3']);
    assert.deepEqual(batches, [['a1', 'b1', 'c1'], ['a2'], ['a3']]);
  });

  it('does alone what concerns many, after all before and before all after', async () => {
    const { batches, write } = noted();
    const calls: readonly (readonly [string | null, string])[] = [
      ['a', 'a1'],
      ['b', 'b1'],
      [null, 'all'],
      ['a', 'a2'],
      [null, 'again'],
    ];
    await Promise.all(calls.map(([lock, name]) => write(lock, name)));
    assert.deepEqual(batches, [['a1', 'b1'], ['all'], ['a2'], ['again']]);
  });

  it('lets one that refuses hurt nobody else, and goes on after a commit that failed', async () => {
    let isFull = true;
    const { batches, queue, write } = noted((names) => {
      if (isFull && names.includes('b1')) throw new RangeError('the disk is full');
    });
    const refused = queue.run('x', () => Promise.reject(new TypeError('refused')));
    const outcomes = await Promise.allSettled([write('a', 'a1'), refused]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    const full = await Promise.allSettled([write('a', 'a2'), write('b', 'b1'), write('a', 'a3')]);
    assert.deepEqual(
      full.map(({ status }) => status),
      ['rejected', 'rejected', 'fulfilled'],
    );
    isFull = false;
    await write('b', 'b1');
    assert.deepEqual(batches, [['a1'], ['a3'], ['b1']]);
  });
});
