import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode } from '@kannuki/core';
import { isAtLeast, type Journal, JournalStore } from './journal.ts';
import { defaultPaths } from './paths.ts';

const state = mkdtempSync(join(tmpdir(), 'kannuki-journal-'));
after(() => rmSync(state, { recursive: true }));
const store = new JournalStore({ ...defaultPaths, state });

const journal: Journal = {
  version: 1,
  name: 'kn_data0',
  operation: 'encrypt',
  step: 'header-made',
  device: { path: '/dev/disk/by-id/x', sizeBytes: 1 << 30, serial: 'x' },
  fileSystem: { type: 'ext4', uuid: '0a' },
  mount: {
    point: '/data0',
    options: 'defaults,nofail',
    dump: 0,
    pass: 2,
    originalLine: 'UUID=0a /data0 ext4 defaults,nofail 0 2',
  },
  header: { sectorSize: 4096, resilience: 'journal' },
  vaultUri: 'https://kv1.vault.localhost/',
  kekId: null,
  secretName: 'a',
  keyFileName: 'LinuxPassPhraseFileName',
  keySource: 'vault',
  keyVolumeUuid: null,
  passphrase: null,
  headerRecord: null,
  luksUuid: null,
  stopServices: false,
  stoppedUnits: [],
  downtimeSeconds: null,
};

test('a journal comes back as it was saved, for root only, and can be removed', async () => {
  assert.deepEqual(await store.list(), []);
  await store.save(journal);
  assert.deepEqual(await store.list(), [journal]);
  const [file = ''] = readdirSync(join(state, 'volumes'));
  assert.equal(statSync(join(state, 'volumes', file)).mode & 0o777, 0o600);
  assert.equal(isAtLeast(journal, 'passphrase-escrowed'), true);
  assert.equal(isAtLeast(journal, 'mapped'), false);
  await store.remove('kn_data0');
  assert.deepEqual(await store.list(), []);
});

test('a damaged journal is an error that names it, never a volume that is taken for plain', async () => {
  for (const text of [
    '',
    'null',
    '{',
    '[]',
    '{"version":2}',
    JSON.stringify({ ...journal, step: 'unheard-of' }),
    JSON.stringify({ ...journal, name: 'kn_other' }),
  ]) {
    writeFileSync(join(state, 'volumes/kn_data0.json'), text);
    await assert.rejects(
      store.list(),
      (error) => hasCode(error, 'KNK-VOL-0001') && error.details.path === join(state, 'volumes/kn_data0.json'),
    );
  }
});
