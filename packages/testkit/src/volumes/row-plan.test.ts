import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { targetsOf } from './layouts/layout.ts';
import { layouts } from './layouts/layouts.ts';
import { type MatrixOperationName, matrixOperationNames, matrixOperations } from './operations.ts';
import type { RowStep } from './result.ts';
import { firstStage, planRow } from './row-plan.ts';

const withEntry = matrixOperationNames.filter((name) => matrixOperations[name] !== undefined);

/** `(decrypt)`: only on the way; `!format`: has to be refused. */
function shown(runs: readonly (readonly RowStep[])[]): readonly string[] {
  return runs.map((steps) =>
    steps
      .map(({ operation, isCell, refusal }) =>
        isCell ? `${refusal === null ? '' : '!'}${operation}` : `(${operation})`,
      )
      .join(' '),
  );
}

function plan(layout: string, operations: readonly MatrixOperationName[] = withEntry): readonly string[] {
  const found = layouts.find(({ name }) => name === layout);
  assert.ok(found, layout);
  return shown(planRow(found, operations)).map((line) => line.replace(/ ?!?grow/, ''));
}

describe('the plan of a row', () => {
  test('the state is carried over, and a volume becomes plain again where the next one needs that', () => {
    assert.deepEqual(plan('whole disk, ext4'), [
      'encrypt rotate-passphrase rotate-volume-key decrypt used-only (decrypt) format',
    ]);
  });

  test('what a plain volume refuses is tried on the plain volume', () => {
    assert.deepEqual(plan('whole disk, xfs'), [
      '!used-only encrypt rotate-passphrase rotate-volume-key decrypt format',
    ]);
  });

  test('what an encrypted volume refuses is tried on the encrypted volume', () => {
    assert.deepEqual(plan('LVM, a group over two physical volumes (dm-crypt below LVM)'), [
      '!used-only !format encrypt rotate-passphrase rotate-volume-key !decrypt',
    ]);
    assert.deepEqual(plan('swap partition (random key a boot)', ['rotate-passphrase']), [
      '(encrypt) !rotate-passphrase',
    ]);
  });

  test('one operation alone gets the volume that it needs', () => {
    assert.deepEqual(plan('whole disk, ext4', ['decrypt']), ['(encrypt) decrypt']);
  });

  test('what leads nowhere is followed by fresh disks', () => {
    assert.deepEqual(plan('disk of 3 TiB, ext4, nearly empty'), [
      'encrypt',
      'used-only rotate-passphrase decrypt',
      'format rotate-volume-key',
    ]);
  });

  for (const layout of layouts) {
    test(`${layout.name}: each operation has one cell`, () => {
      const cells = planRow(layout, withEntry)
        .flat()
        .filter(({ isCell }) => isCell)
        .map(({ operation }) => operation);
      assert.deepEqual(cells.toSorted(), withEntry.toSorted());
    });

    test(`${layout.name}: an operation is never done from a state that it does not begin with`, () => {
      for (const steps of planRow(layout, withEntry)) {
        let stage = firstStage(layout);
        for (const { operation, refusal, leaves } of steps) {
          const { needs } = matrixOperations[operation] ?? assert.fail(operation);
          const wanted = needs === 'any' ? stage.state : needs === 'plain' ? 'NotEncrypted' : 'Encrypted';
          if (refusal === null) assert.deepEqual([stage.state, stage.isUnderway], [wanted, false], operation);
          else assert.deepEqual(leaves, stage, `${operation} is refused, and changes nothing`);
          stage = leaves;
        }
      }
    });

    test(`${layout.name}: there is something to try each operation on`, () => {
      for (const needs of ['plain', 'encrypted', 'any'] as const) assert.ok(targetsOf(layout, needs).length > 0);
    });
  }
});
