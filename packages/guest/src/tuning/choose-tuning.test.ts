import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KannukiError, type Run } from '@kannuki/core';
import { chooseTuning } from './choose-tuning.ts';
import { flagsOf, readKernel } from './kernel-rules.ts';
import type { MeasuredTuning } from './measure.ts';
import { readProcessor } from './processor.ts';
import { type MeasuredOn, recordPath, writeRecord } from './record.ts';
import { plainTuning, type Tuning } from './tuning.ts';

const device = {
  kernelName: 'no-such-device',
  parents: [],
  path: '/dev/no-such-device',
  fileSystem: { blockBytes: 4096, sectorBytes: 4096, hasOtherDevices: false },
  sizeBytes: 1024 ** 3,
};

/** A machine with cryptsetup, on which device-mapper refuses. */
const withoutDeviceMapper: Run = async (program, args) => {
  if (program === 'cryptsetup') return { exitCode: 0, stdout: 'cryptsetup 2.6.1 flags: KEYRING \n', stderr: '' };
  if (program === 'flock') return { exitCode: 0, stdout: '', stderr: '' };
  if (program === 'dpkg-query') return { exitCode: 0, stdout: '2:2.6.1-4~deb12u2', stderr: '' };
  throw new KannukiError('KNK-CMD-0001', { details: { program, result: 'code 1', detail: args.join(' ') } });
};

function scratch(t: TestContext): { readonly state: string; readonly runtime: string } {
  const state = mkdtempSync(join(tmpdir(), 'kannuki-tuning-'));
  t.after(() => rmSync(state, { recursive: true }));
  return { state, runtime: join(state, 'run') };
}

test('what cannot be measured keeps no disk from being encrypted: a note, settings of cryptsetup, and no record of it', async (t) => {
  const paths = scratch(t);
  const { tuning, findings } = await chooseTuning(device, { run: withoutDeviceMapper, paths });
  assert.deepEqual(tuning, plainTuning(4096));
  assert.deepEqual(
    findings.map(({ severity, rule, subject }) => ({ severity, rule, subject })),
    [{ severity: 'note', rule: 'REQ-152', subject: device.path }],
  );
  assert.equal(existsSync(recordPath(paths)), false);
});

test('sectors of 4096 bytes only where file system and disk are made of them', async (t) => {
  const paths = scratch(t);
  const sectorSize = async (change: Partial<typeof device>): Promise<number> =>
    (await chooseTuning({ ...device, ...change }, { run: withoutDeviceMapper, paths })).tuning.sectorSize;
  assert.equal(await sectorSize({}), 4096);
  assert.equal(await sectorSize({ sizeBytes: 1024 ** 3 + 512 }), 512);
  assert.equal(await sectorSize({ fileSystem: { ...device.fileSystem, sectorBytes: 512 } }), 512);
});

test('the record of this machine is believed: flags as the kernel allows, Adiantum offered and not chosen', async (t) => {
  const paths = scratch(t);
  const kernel = await readKernel({ root: '/' });
  const processor = await readProcessor({ root: '/' });
  const measuredOn: MeasuredOn = {
    kernel: kernel.release,
    processor: processor.model,
    processors: processor.count,
    cryptsetup: '2:2.6.1-4~deb12u2',
    method: 1,
  };
  const at = (tuning: Tuning, speed: number): MeasuredTuning => {
    const rounds = [speed, speed, speed];
    const speeds = {
      'random read': rounds,
      'random write': rounds,
      'sequential read': rounds,
      'sequential write': rounds,
    };
    return { tuning, speeds };
  };
  const adiantum = plainTuning(4096, 'xchacha20,aes-adiantum-plain64');
  const without = { noReadWorkqueue: true, noWriteWorkqueue: true };
  const tunings = [
    at(plainTuning(4096), 100),
    at({ ...plainTuning(4096), ...without }, 120),
    at(adiantum, 310),
    at({ ...adiantum, ...without }, 311),
  ];
  await writeRecord(paths, { measuredOn, tunings, failure: null, seconds: 1 });

  const chosen = await chooseTuning(device, { run: withoutDeviceMapper, paths });
  const { read, write } = flagsOf(kernel);
  assert.deepEqual(chosen.tuning, { ...plainTuning(4096), noReadWorkqueue: read, noWriteWorkqueue: write });
  assert.match(chosen.findings[0]?.message.en ?? '', /Adiantum was measured to be 3\.1 times as fast/);
  assert.match(chosen.findings[0]?.remedy.en ?? '', /--cipher xchacha20,aes-adiantum-plain64/);

  const asked = await chooseTuning(device, {
    run: withoutDeviceMapper,
    paths,
    cipher: 'xchacha20,aes-adiantum-plain64',
  });
  assert.deepEqual(asked, { tuning: adiantum, findings: [] });

  // Of another cryptsetup: measured again, which fails here.
  await writeRecord(paths, { measuredOn: { ...measuredOn, cryptsetup: '2.7.5' }, tunings, failure: null, seconds: 1 });
  assert.deepEqual((await chooseTuning(device, { run: withoutDeviceMapper, paths })).tuning, plainTuning(4096));

  // Of another sector size: the same.
  const of512 = [plainTuning(512), { ...plainTuning(512), ...without }].map((tuning) => at(tuning, 100));
  await writeRecord(paths, { measuredOn, tunings: of512, failure: null, seconds: 1 });
  assert.match(
    (await chooseTuning(device, { run: withoutDeviceMapper, paths })).findings[0]?.message.en ?? '',
    /could not be measured/,
  );
});
