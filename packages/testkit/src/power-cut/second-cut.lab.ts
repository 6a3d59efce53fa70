import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeededCut } from '../torture/cut.ts';
import { discardRecording, recordOperation } from '../torture/recording.ts';
import { discardRecovery, recordRecovery, trySecondCuts } from '../torture/second-cut.ts';
import type { Cut } from './cuts.ts';
import { encrypt } from './operations/encrypt.ts';
import { midConversion } from './places.ts';
import { Random } from './random.ts';

const seed = 20261123;
const secondCuts = 10;
/** By turns; both disks lose on their own. */
const variants: readonly Pick<Cut, 'kind' | 'loss'>[] = [
  { kind: 'in-order', loss: null },
  { kind: 'unflushed-lost', loss: { state: 'some', data: 'some' } },
  { kind: 'torn', loss: null },
  { kind: 'unflushed-lost', loss: { state: 'all', data: 'none' } },
  { kind: 'unflushed-lost', loss: { state: 'none', data: 'all' } },
];

test('a second power cut, while the boot puts right what the first has left, loses nothing', async () => {
  const recording = await recordOperation(encrypt, seed, 'ext4');
  try {
    const recovery = await recordRecovery(recording, midConversion(recording.record, encrypt));
    try {
      // cryptsetup writes the piece again: else the first cut hit no piece and the test proves nothing.
      const sectors = recovery.record.entries
        .slice(recovery.from, recovery.to)
        .reduce((sum, entry) => sum + entry.sectors, 0);
      assert.ok(sectors > 2048, `the recovery wrote only ${sectors} sectors`);
      const random = new Random(seed);
      const part = (recovery.to - recovery.from) / secondCuts;
      const cuts = Array.from({ length: secondCuts }, (_, index): SeededCut => {
        const variant = variants[index % variants.length];
        assert.ok(variant);
        const entry = recovery.from + Math.floor(part * (index + random.next())) + 1;
        return { ...variant, entry, aim: 'spread', cutSeed: random.between(0, 2 ** 31) };
      });
      const outcomes = await trySecondCuts(recovery, cuts);
      assert.equal(outcomes.length, secondCuts);
      for (const [index, outcome] of outcomes.entries()) {
        const where = `second cut at ${cuts[index]?.entry} of ${recovery.from}..${recovery.to}`;
        assert.ok(outcome.ok, `${where}: ${JSON.stringify(outcome)}`);
      }
    } finally {
      discardRecovery(recovery);
    }
  } finally {
    discardRecording(recording);
  }
});
