import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { finishReencryption } from '../finish.ts';
import { buildHeaderFile } from './build-header-file.ts';
import { cryptsetup, withFolder } from './cryptsetup.ts';
import type { Recording } from './recording.ts';

/** Header and data of a machine whose power was cut, with the real cryptsetup on them. Each call gives its exit code. */
export interface MachineAfterCut {
  readonly header: string;
  readonly data: string;
  readonly resume: () => number | null;
  readonly open: () => number | null;
}

/** @param header as it was recorded @param content of the device at the cut */
export function afterCutOf(
  recording: Recording,
  header: Uint8Array,
  content: Uint8Array,
  use: (machine: MachineAfterCut) => void,
): void {
  const passphrase = Buffer.from(recording.passphrase, 'hex');
  const volumeKey = Buffer.from(recording.volumeKey, 'hex');
  withFolder((path) => {
    const [headerFile, data, key] = [path('header'), path('data'), path('key')];
    writeFileSync(headerFile, buildHeaderFile(header, passphrase, volumeKey));
    writeFileSync(data, content);
    writeFileSync(key, passphrase, { mode: 0o600 });
    const both = ['--key-file', key, '--header', headerFile, data];
    const resume = (): number | null =>
      cryptsetup('reencrypt', '--resume-only', '--force-offline-reencrypt', '-q', ...both).status;
    const open = (): number | null => cryptsetup('open', '--test-passphrase', '-q', ...both).status;
    use({ header: headerFile, data, resume, open });
  });
}

/** What the finishing check does to a header in the end window. */
export function guard({ header }: MachineAfterCut, deviceBytes: number): void {
  const file = readFileSync(header);
  const verdict = finishReencryption(file, deviceBytes);
  assert.ok(verdict.needed);
  for (const { offset, length } of verdict.wipe) file.set(randomBytes(length), offset);
  for (const { offset, bytes } of verdict.writes) file.set(bytes, offset);
  writeFileSync(header, file);
}
