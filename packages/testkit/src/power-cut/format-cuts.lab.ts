import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { chooseFormatCuts, type FormatOutcome, recordFormat, tryFormatCut } from '../torture/format.ts';
import { Random } from './random.ts';

/** Fixed, so that a failure in CI can be had again at the desk. */
const seed = 20261128;
const cuts = 22;

describe('power cuts while a volume is formatted', async () => {
  const recording = await recordFormat(seed);
  after(() => rmSync(recording.folder, { recursive: true, force: true }));

  test(`${cuts} cuts: the old volume is whole, or the new one is there with every file written since`, async () => {
    const random = new Random(seed);
    const waiting = chooseFormatCuts(recording.log, cuts, random).map((cut) => ({
      cut,
      random: new Random(random.between(0, 2 ** 31)),
    }));
    const outcomes: FormatOutcome[] = [];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const outcome = await tryFormatCut(recording, next.cut, next.random);
        outcomes.push(outcome);
        console.error(
          `cut at ${outcome.entry} (${outcome.kind}, after ${outcome.step}): ${outcome.ok ? 'ok' : 'FAILED'}`,
        );
      }
    };
    await Promise.all([worker(), worker()]);
    assert.deepEqual(
      outcomes.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(outcomes.length, cuts);
    const steps = new Set(outcomes.map(({ step }) => step));
    assert.ok(steps.size >= 9, `cuts only after ${[...steps].join(', ')}`);
    assert.ok(outcomes.some(({ found }) => found?.state === 'Encrypted'));
  });
});
