import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasCode } from '@kannuki/core';
import type { Journal } from './journal.ts';
import { JournalStore } from './journal-store.ts';
import { decryptPlan } from './operations/decrypt/plan.ts';
import { defaultPaths } from './paths.ts';
import { isMapped, isOpenedAtBoot } from './plans.ts';

const state = mkdtempSync(join(tmpdir(), 'kannuki-journal-'));
after(() => rmSync(state, { recursive: true }));
const store = new JournalStore({ ...defaultPaths, state });

const journal: Journal = {
  version: 1,
  name: 'kn_data0',
  operation: 'encrypt',
  madeBy: 'encrypt',
  step: 'header-made',
  device: { path: '/dev/disk/by-id/x', sizeBytes: 1 << 30, serial: 'x' },
  use: {
    kind: 'mount',
    fileSystem: { type: 'ext4', uuid: '0a' },
    point: '/data0',
    options: 'defaults,nofail',
    dump: 0,
    pass: 2,
    originalLine: 'UUID=0a /data0 ext4 defaults,nofail 0 2',
  },
  header: { place: 'file', sectorSize: 4096, resilience: 'journal' },
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
  assert.deepEqual(await store.find('kn_data0'), journal);
  await store.remove('kn_data0');
  assert.deepEqual(await store.list(), []);
  assert.equal(await store.find('kn_data0'), undefined);
});

test('the boot opens a volume from the moment that it knows of it; it is mapped when its file system lies on the mapping', () => {
  const steps = ['planned', 'header-escrowed', 'entries-moved', 'mapped', 'finished'];
  const at = (fits: (journal: Journal) => boolean) => steps.filter((step) => fits({ ...journal, step }));
  assert.deepEqual(at(isOpenedAtBoot), ['entries-moved', 'mapped', 'finished']);
  assert.deepEqual(at(isMapped), ['mapped', 'finished']);
});

test('during a decryption the boot opens the volume as long as a block of it is ciphertext, and never after that', () => {
  const at = (fits: (journal: Journal) => boolean): readonly string[] =>
    ['planned', ...decryptPlan.steps.map(({ reaches }) => reaches)].filter((step) =>
      fits({ ...journal, operation: 'decrypt', step }),
    );
  const ciphertext = ['planned', 'header-escrowed', 'boot-prepared', 'begun'];
  assert.deepEqual(at(isOpenedAtBoot), ciphertext);
  assert.deepEqual(at(isMapped), ciphertext);
  assert.deepEqual(
    at(({ step }) => decryptPlan.takeBack.isPossible(step)),
    ciphertext.slice(0, 3),
  );
  const order = decryptPlan.steps.map(({ reaches }) => reaches);
  assert.deepEqual(order.slice(-5), ['decrypted', 'entries-restored', 'unmapped', 'header-removed', 'finished']);
  assert.equal(decryptPlan.endsJournal, true);
});

test('a damaged journal is an error that names it, never a volume that is taken for plain', async () => {
  for (const text of [
    '',
    'null',
    '{',
    '[]',
    '{"version":2}',
    JSON.stringify({ ...journal, step: 'unheard-of' }),
    JSON.stringify({ ...journal, operation: 'toString' }),
    JSON.stringify({ ...journal, use: { kind: 'mount' } }),
    JSON.stringify({ ...journal, name: 'kn_other' }),
  ]) {
    writeFileSync(join(state, 'volumes/kn_data0.json'), text);
    await assert.rejects(
      store.list(),
      (error) => hasCode(error, 'KNK-VOL-0001') && error.details.path === join(state, 'volumes/kn_data0.json'),
    );
  }
});
