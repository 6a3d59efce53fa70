import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type CutOutcome, tryCuts, tryTheseCuts } from '../torture/cut.ts';
import { tryKill } from '../torture/kill.ts';
import { discardRecording, type FileSystem, type Recording, recordOperation } from '../torture/recording.ts';
import { lossOf, reportOf } from '../torture/report.ts';
import { cutLine } from '../torture/torture.ts';
import type { Operation } from './operations/operation.ts';
import { endWindow } from './places.ts';

/** Fixed, so that a failure in CI can be had again at the desk. */
const seed = 20261123;

export interface LabCuts {
  readonly cuts: number;
  /** Machines that are killed at a random moment of the work, as the second kind of cut. */
  readonly kills?: number;
  /** Shows once that without the finishing check data is lost. */
  readonly showsGuard?: boolean;
}

/**
 * The power-cut tests of one operation, each in a file of its own, so that they run side by side: one recording, cuts around
 * every step and in every window, a machine at a time.
 */
export function testCuts(operation: Operation, fileSystem: FileSystem, { cuts, kills = 0, showsGuard }: LabCuts): void {
  describe(`power cuts: ${operation.name}, ${fileSystem}`, async () => {
    const recording = await recordOperation(operation, seed, fileSystem);
    after(() => discardRecording(recording));

    test(`${cuts} cuts by record: each boot recovers by itself and each promised file is intact`, async () => {
      const outcomes = await tryCuts(recording, cuts, seed, tell, 1);
      assertGood(operation, outcomes, cuts);
      if (operation.conversion !== null) {
        assert.ok(outcomes.filter(({ aim }) => aim === 'window:conversion-end').length >= 1);
      }
      assert.ok(outcomes.filter(({ torn }) => torn !== null).length >= 1);
    });

    if (kills > 0) {
      test('the machine is killed at a random moment of the work', async () => {
        for (let index = 0; index < kills; index++) {
          const outcome = await tryKill(recording, seed + index);
          assert.ok(outcome.ok, JSON.stringify(outcome));
        }
      });
    }
    if (showsGuard === true) {
      test('without the finishing check a cut in the end window destroys the data; with it nothing is lost', () =>
        showTheGuard(recording));
    }
  });
}

function assertGood(operation: Operation, outcomes: readonly CutOutcome[], count: number): void {
  const { stepsNotHit, failures } = reportOf(operation, outcomes, []);
  assert.equal(outcomes.length, count);
  assert.deepEqual(failures, []);
  assert.deepEqual(stepsNotHit, []);
  // Header and data torn apart both ways: one disk has lost all that it could lose, the other nothing.
  const losses = new Set(outcomes.map(lossOf));
  for (const loss of ['state all, data none', 'state none, data all']) {
    assert.ok(losses.has(loss), `no cut with ${loss}, only ${[...losses].join('; ')}`);
  }
}

/** The wipe of the work area fills most of the window, so its middle lies in it. */
async function showTheGuard(recording: Recording): Promise<void> {
  const { from, to } = endWindow(recording.record, recording.operation);
  const cut = { kind: 'in-order', loss: null, aim: 'window:conversion-end' } as const;
  const verdicts: boolean[] = [];
  for (const part of [0.45, 0.5, 0.55, 0.6, 0.4, 0.7, 0.8]) {
    const entry = Math.floor(from + (to - from) * part);
    const here = [{ ...cut, entry, cutSeed: seed }];
    const [unguarded] = await tryTheseCuts(recording, here, { withFinishingCheck: false });
    verdicts.push(unguarded?.ok === true);
    if (unguarded?.ok !== false) continue;
    const [guarded] = await tryTheseCuts(recording, here);
    assert.ok(guarded?.ok, JSON.stringify(guarded));
    return;
  }
  assert.fail(`no cut without the guard did harm, so the test cannot fail: ${verdicts.join(', ')}`);
}

function tell(outcome: CutOutcome): void {
  console.error(cutLine(outcome));
}
