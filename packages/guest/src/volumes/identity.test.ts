import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasCode, type Run } from '@kannuki/core';
import { assertNotGrown, assertSameDevice } from './identity.ts';
import type { Journal } from './journal.ts';

const sizeBytes = 1024 ** 3;

/** Only what is looked at here. */
function journal(changes: Partial<Journal> = {}): Journal {
  const base = {
    name: 'kn_data0',
    operation: 'encrypt',
    step: 'finished',
    keySource: 'vault',
    device: { path: '/dev/sdc', sizeBytes, serial: 'abc' },
    use: { kind: 'swap', device: '/dev/sdc', mapper: 'kn_data0', uuid: '', label: '', options: 'sw' },
  };
  return { ...base, ...changes } as Journal;
}

function lsblk(size: number, serial: string | null): Run {
  return async () => ({ exitCode: 0, stdout: JSON.stringify({ blockdevices: [{ size, serial }] }), stderr: '' });
}

const gone: Run = async () => ({ exitCode: 32, stdout: '', stderr: '' });
const isOther = (error: unknown): boolean => hasCode(error, 'KNK-VOL-0004');

describe('the device of a journal', () => {
  test('is the one with its size and serial number', async () => {
    await assertSameDevice(journal(), lsblk(sizeBytes, 'abc'));
    await assert.rejects(assertSameDevice(journal(), lsblk(sizeBytes, 'abd')), isOther);
    await assert.rejects(assertSameDevice(journal(), lsblk(sizeBytes, null)), isOther);
    await assert.rejects(assertSameDevice(journal(), lsblk(sizeBytes - 512, 'abc')), isOther);
    await assert.rejects(assertSameDevice(journal(), gone), isOther);
  });

  test('may have grown while nothing is under way', async () => {
    await assertSameDevice(journal(), lsblk(2 * sizeBytes, 'abc'));
    await assert.rejects(assertSameDevice(journal(), lsblk(2 * sizeBytes, 'abd')), isOther);
    for (const changes of [{ step: 'mapped' }, { keySource: 'random' }] as const) {
      await assert.rejects(assertSameDevice(journal(changes), lsblk(2 * sizeBytes, 'abc')), isOther);
    }
  });

  test('has to be grown before anything else is done', async () => {
    await assertNotGrown(journal(), lsblk(sizeBytes, 'abc'));
    await assertNotGrown(journal(), gone);
    await assert.rejects(assertNotGrown(journal(), lsblk(sizeBytes + 512, 'abc')), (error) =>
      hasCode(error, 'KNK-VOL-0072'),
    );
  });
});
