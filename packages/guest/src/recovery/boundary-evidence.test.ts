import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundaryEvidence } from './boundary-evidence.ts';
import type { Evidence } from './unit-evidence.ts';

const letters: Readonly<Record<string, Evidence>> = { c: 'cipher', p: 'plain', u: 'undecided' };

/** @param disk a letter for each unit from `start` on */
function judge(disk: string, window = 3, start = 0): number | 'unclear' {
  const evidence = new BoundaryEvidence(start, window);
  for (const letter of disk) if (!evidence.add(letters[letter] ?? assert.fail(letter))) break;
  const verdict = evidence.verdict();
  return verdict.kind === 'found' ? verdict.boundary : 'unclear';
}

test('the boundary is found where every unit within a piece of it is clear', () => {
  assert.deepEqual(
    ['ccccpppp', 'pppppp', 'cccccc', 'ucccppp', 'cccpppu', 'uuuuuucccppp'].map((disk) => judge(disk)),
    [4, 0, 6, 4, 3, 9],
  );
  assert.equal(judge('cpppp', 3, 100), 101);
  assert.equal(judge('', 3, 100), 100);
});

test('no answer where one unit near it may be either, or where the order is not that of a conversion', () => {
  for (const disk of ['cccuppp', 'ccucppp', 'cccpupp', 'cccpcpp', 'uuuuuuu', 'cccuuuu', 'ccccppuc', 'u']) {
    assert.equal(judge(disk), 'unclear', disk);
  }
});

test('every disk that a cut can leave: the answer is the truth or there is none', () => {
  const disk = fc.record({
    finished: fc.nat(20),
    piece: fc.array(fc.constantFrom('c', 'p'), { maxLength: 3 }),
    untouched: fc.nat(20),
    noise: fc.infiniteStream(fc.boolean()),
  });
  fc.assert(
    fc.property(disk, ({ finished, piece, untouched, noise }) => {
      // Within the piece under work the units may have reached the disk in any order; any unit may look like noise.
      const truth = [
        ...Array.from({ length: finished }, () => 'c'),
        ...piece,
        ...Array.from({ length: untouched }, () => 'p'),
      ];
      const seen = truth.map((letter) => (noise.next().value === true ? 'u' : letter)).join('');
      const found = judge(seen);
      if (found === 'unclear') return;
      const isRight = truth.slice(0, found).every((letter) => letter === 'c') && !truth.slice(found).includes('c');
      assert.ok(isRight, `${truth.join('')} seen as ${seen}: ${found}`);
    }),
    { numRuns: 3000 },
  );
});

test('a disk of noise does not fill the memory, and gives no answer', () => {
  const evidence = new BoundaryEvidence(0, 4);
  for (let unit = 0; unit < 100_000; unit++) evidence.add('undecided');
  const verdict = evidence.verdict();
  assert.ok(verdict.kind === 'unclear' && verdict.reason.startsWith('100000 units'));
});
