import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discardRecording, recordEncryption } from '../torture/encrypt.ts';
import { discardRecovery, recordRecovery, trySecondCut } from '../torture/second-cut.ts';
import { midConversion } from './cuts.ts';
import { Random } from './random.ts';
import { dataOffset, smallVm } from './small-vm.ts';

const seed = 20261123;
const secondCuts = 10;

test('a second power cut, while the boot puts right what the first has left, loses nothing', async () => {
  const recording = await recordEncryption(seed, 'ext4');
  try {
    const middle = midConversion(recording.log, dataOffset(smallVm) / 512);
    const recovery = await recordRecovery(recording, middle);
    try {
      // cryptsetup writes the piece again: else the first cut hit no piece and the test proves nothing.
      const sectors = recovery.log.entries
        .slice(recovery.from, recovery.to)
        .reduce((sum, entry) => sum + entry.sectors, 0);
      assert.ok(sectors > 2048, `the recovery wrote only ${sectors} sectors`);
      const random = new Random(seed);
      for (let index = 0; index < secondCuts; index++) {
        const part = (recovery.to - recovery.from) / secondCuts;
        const entry = recovery.from + Math.floor(part * (index + random.next())) + 1;
        const outcome = await trySecondCut(recovery, entry, index % 2 === 1, random);
        assert.ok(outcome.ok, `second cut at ${entry} of ${recovery.from}..${recovery.to}: ${JSON.stringify(outcome)}`);
      }
    } finally {
      discardRecovery(recovery);
    }
  } finally {
    discardRecording(recording);
  }
});
