import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Run } from '@kannuki/core';
import { loadRecording } from '@kannuki/formats/luks2/testing/recording';
import type { Journal } from './journal.ts';
import { PaceFile } from './pace/pace-file.ts';
import { defaultPaths } from './paths.ts';
import { isPlainHeader, mapIfPlain } from './plain-mapping.ts';
import { ProgressFile } from './progress-file.ts';
import { listVolumes } from './status.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-plain-'));
after(() => rmSync(folder, { recursive: true }));
const { states, deviceBytes } = loadRecording('decrypt-journal');
const end = states.at(-1)?.header ?? assert.fail('the recording is empty');
const begin = states[0]?.header ?? assert.fail('the recording is empty');

const journal: Journal = {
  version: 1,
  name: 'kn_data0',
  operation: 'decrypt',
  madeBy: 'encrypt',
  step: 'begun',
  device: { path: '/dev/sdb', sizeBytes: deviceBytes, serial: 'b' },
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

function headerFile(bytes: Uint8Array): string {
  mkdirSync(join(folder, 'headers'), { recursive: true });
  const path = join(folder, 'headers/kn_data0.luks');
  writeFileSync(path, bytes);
  return path;
}

/** Answers as the tools do, and keeps what they were asked. */
function machine(disk: { readonly size: number; readonly serial: string }): { run: Run; calls: string[] } {
  const calls: string[] = [];
  const run: Run = async (program, args) => {
    calls.push([program, ...args].join(' '));
    const stdout = program === 'lsblk' ? JSON.stringify({ blockdevices: [disk] }) : '';
    return { exitCode: 0, stdout, stderr: '' };
  };
  return { run, calls };
}

test('a header is plain when its decryption is over, and not one write earlier', async () => {
  const plain: boolean[] = [];
  for (const { header } of states) plain.push(await isPlainHeader(headerFile(header), deviceBytes));
  const first = plain.indexOf(true);
  assert.ok(first > 40);
  assert.deepEqual(plain, [...plain.slice(0, first).fill(false), ...plain.slice(first).fill(true)]);
  assert.equal(loadRecording('decrypt-journal').events[first - 1], 'W header 0+4096');
});

test('only the disk of the journal is mapped, and only for a decryption that is over', async () => {
  const right = { size: deviceBytes, serial: 'b' };
  const { run, calls } = machine(right);
  assert.equal(await mapIfPlain(journal, headerFile(begin), run), false);
  assert.equal(await mapIfPlain({ ...journal, operation: 'encrypt' }, headerFile(end), run), false);
  assert.equal(calls.length, 0);
  assert.equal(await mapIfPlain(journal, headerFile(end), run), true);
  const [create] = calls.filter((call) => call.startsWith('dmsetup create'));
  assert.equal(
    create,
    `dmsetup create kn_data0 --uuid CRYPT-KANNUKI-kn_data0 --table 0 ${deviceBytes / 512} linear /dev/sdb 0`,
  );

  const wrong = machine({ ...right, serial: 'c' });
  await assert.rejects(mapIfPlain(journal, headerFile(end), wrong.run), { code: 'KNK-VOL-0004' });
  assert.ok(!wrong.calls.some((call) => call.startsWith('dmsetup')));
});

test('the list tells the truth at each write of a decryption: bytes that are left, and plain only when none is', async () => {
  const mapping = {
    name: 'kn_data0',
    path: '/dev/mapper/kn_data0',
    type: 'crypt',
    size: deviceBytes,
    serial: null,
    fstype: 'ext4',
    fsused: null,
    mountpoints: ['/data0'],
  };
  const disk = { ...mapping, name: 'sdb', path: '/dev/sdb', type: 'disk', mountpoints: [null], children: [mapping] };
  const run: Run = async () => ({ exitCode: 0, stdout: JSON.stringify({ blockdevices: [disk] }), stderr: '' });
  const paths = { ...defaultPaths, state: folder };
  const parts = { run, paths, progressFile: new ProgressFile('/nonexistent'), pace: new PaceFile(paths) };
  const told: string[] = [];
  for (const { header } of states) {
    headerFile(header);
    const [volume] = await listVolumes({ ...parts, journals: [journal] });
    told.push(`${volume?.state} ${volume?.bytesDone}`);
  }
  assert.deepEqual(
    [...new Set(told)],
    [
      `DecryptionInProgress ${deviceBytes}`,
      `DecryptionInProgress ${deviceBytes / 2}`,
      'DecryptionInProgress 0',
      'NotEncrypted 0',
    ],
  );

  // Without a header nobody knows how far it is.
  rmSync(join(folder, 'headers/kn_data0.luks'));
  const [unknown] = await listVolumes({ ...parts, journals: [journal] });
  assert.equal(unknown?.state, 'DecryptionInProgress');
});
