/**
 * Makes the recordings in `recorded/` again, with the cryptsetup of this machine: `node record.ts`. Needs gcc and root's
 * cryptsetup, no device mapper: everything happens on plain files.
 *
 * A recording holds the header area after each write and sync of one `cryptsetup reencrypt` run, and what stock cryptsetup
 * does to the data when the power is cut there: repair, then resume, without our guard.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { SecretBytes } from '@kannuki/core';
import { printJson } from '../../json/ordered-json.ts';
import { withFrontOnly } from '../front-only.ts';
import { findCopies } from '../header.ts';
import { openKeyslot } from '../keyslot.ts';
import type { ReencryptionMode } from '../model.ts';
import { frontOfRecording, headerAreaBytes, type Recording, type UnguardedOutcome } from './recording.ts';

const deviceBytes = 8 * 1024 * 1024;
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'kannuki-record-'));
const file = (name: string): string => join(folder, name);

interface Event {
  readonly kind: string;
  readonly isHeader: boolean;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface Disks {
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

function cryptsetup(args: readonly string[], environment: Record<string, string> = {}, input?: string): number {
  const { status, stderr } = spawnSync('cryptsetup', args, {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...environment },
    ...(input === undefined ? {} : { input }),
  });
  if (status === null) throw new Error(`cryptsetup: ${stderr.toString()}`);
  return status;
}

function mustRun(args: readonly string[], environment: Record<string, string> = {}, input?: string): void {
  const status = cryptsetup(args, environment, input);
  if (status !== 0) throw new Error(`cryptsetup ${args.join(' ')}: ${status}`);
}

const key = ['-q', '--key-file', file('passphrase')];
const both = ['--header', file('header'), file('data')];
const kdf = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
const offline = ['--resume-only', '--force-offline-reencrypt'];

function readDisks(): Disks {
  return { header: readFileSync(file('header')), data: readFileSync(file('data')) };
}

function writeDisks({ header, data }: Disks): void {
  writeFileSync(file('header'), header);
  writeFileSync(file('data'), data);
}

function readLog(): readonly Event[] {
  const log = readFileSync(file('log'));
  const events: Event[] = [];
  for (let at = 0; at < log.length; ) {
    const [kind, isHeader] = [log.toString('latin1', at, at + 1), log.toString('latin1', at + 1, at + 2) === 'H'];
    const offset = Number(log.readBigInt64LE(at + 8));
    const length = kind === 'W' ? Number(log.readBigInt64LE(at + 16)) : 0;
    events.push({ kind, isHeader, offset, bytes: log.subarray(at + 24, at + 24 + length) });
    at += 24 + length;
  }
  return events;
}

/** What the disks hold when the power is cut right behind an event. */
function replay(start: Disks, events: readonly Event[]): Disks {
  const disks = { header: Buffer.from(start.header), data: Buffer.from(start.data) };
  for (const { isHeader, offset, bytes } of events) (isHeader ? disks.header : disks.data).set(bytes, offset);
  return disks;
}

function unguarded(disks: Disks, wanted: Uint8Array): UnguardedOutcome {
  writeDisks(disks);
  cryptsetup(['repair', ...key, ...both]);
  cryptsetup(['reencrypt', ...offline, ...key, ...both]);
  const after = readDisks();
  if (!Buffer.from(wanted).equals(after.data)) return 'lost';
  return printJson(findCopies(after.header).newest.metadata.raw).includes('online-reencrypt') ? 'stuck' : 'intact';
}

function readVolumeKey({ header }: Disks): string {
  writeFileSync(file('keyed-header'), header);
  const into = ['--volume-key-file', file('key')];
  execFileSync('cryptsetup', ['luksDump', '--dump-volume-key', ...into, ...key, file('keyed-header')]);
  const volumeKey = readFileSync(file('key')).toString('hex');
  rmSync(file('key'));
  return volumeKey;
}

/** @param frontBytes only this much from the start is converted */
function record(
  name: string,
  mode: ReencryptionMode,
  resilience: string,
  sectorSize: number,
  frontBytes?: number,
): void {
  writeFileSync(file('passphrase'), Buffer.alloc(48, 'recorded by record.ts '));
  writeFileSync(file('data'), Buffer.alloc(deviceBytes, `plaintext of ${name} `));
  rmSync(file('header'), { force: true });
  const size = ['--sector-size', String(sectorSize), '--cipher', 'aes-xts-plain64', '--key-size', '512'];
  const protect = ['--resilience', resilience];
  mustRun(['reencrypt', '--encrypt', '--init-only', '--type', 'luks2', ...key, ...kdf, ...size, ...protect, ...both]);
  let encrypted: Disks | undefined;
  if (mode !== 'encrypt') {
    mustRun(['reencrypt', ...offline, ...key, '--resilience', 'none', ...both]);
    const token = '{"type":"kannuki-test","keyslots":["0"],"note":"閂 ☂","big":12345678901234567}';
    mustRun(['token', 'import', '--token-id', '0', '--json-file', '-', file('header')], {}, token);
    // At its end a decryption destroys the key, and in between the key is not shown.
    encrypted = readDisks();
    const next = mode === 'decrypt' ? ['--decrypt'] : kdf;
    mustRun(['reencrypt', '--init-only', '--force-offline-reencrypt', ...next, ...key, ...protect, ...both]);
  }
  if (frontBytes !== undefined) {
    const whole = readFileSync(file('header'));
    using passphrase = SecretBytes.copy(readFileSync(file('passphrase')));
    using key = openKeyslot(whole, passphrase);
    whole.set(withFrontOnly(whole, frontBytes, key));
    writeFileSync(file('header'), whole);
  }
  const start = readDisks();
  rmSync(file('log'), { force: true });
  mustRun(['reencrypt', ...offline, ...key, ...protect, '--hotzone-size', '4M', ...both], {
    LD_PRELOAD: file('write-log.so'),
    WRITE_LOG: file('log'),
    WRITE_LOG_HEADER: file('header'),
    WRITE_LOG_DATA: file('data'),
  });
  const end = readDisks();
  const volumeKey = readVolumeKey(mode === 'decrypt' && encrypted !== undefined ? encrypted : end);

  const events = readLog();
  const areas: Uint8Array[] = [];
  const outcomes: UnguardedOutcome[] = [];
  for (let count = 0; count <= events.length; count++) {
    const disks = replay(start, events.slice(0, count));
    areas.push(disks.header.subarray(0, headerAreaBytes));
    outcomes.push(unguarded(disks, end.data));
  }
  const recording: Recording = {
    cryptsetup: execFileSync('cryptsetup', ['--version']).toString().trim(),
    mode,
    resilience,
    deviceBytes,
    passphrase: readFileSync(file('passphrase')).toString('hex'),
    volumeKey,
    events: events.map(
      ({ kind, isHeader, offset, bytes }) => `${kind} ${isHeader ? 'header' : 'data'} ${offset}+${bytes.length}`,
    ),
    outcomes,
  };
  writeFileSync(join(here, 'recorded', `${name}.json`), `${JSON.stringify(recording, undefined, 2)}\n`);
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
  writeFileSync(join(here, 'recorded', `${name}.br`), brotliCompressSync(Buffer.concat(areas), { params }));
}

try {
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', file('write-log.so'), join(here, 'write-log.c')]);
  record('encrypt-journal', 'encrypt', 'journal', 4096);
  record('encrypt-checksum', 'encrypt', 'checksum', 512);
  record('reencrypt-journal', 'reencrypt', 'journal', 512);
  record('decrypt-journal', 'decrypt', 'journal', 4096);
  record('front-journal', 'encrypt', 'journal', 4096, frontOfRecording);
} finally {
  rmSync(folder, { recursive: true });
}
