import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import type { ReencryptionMode } from '../model.ts';

/** Both copies of a header as cryptsetup makes it. */
export const headerAreaBytes = 32 * 1024;

/** Of the further recording `front-journal` (front-only.ts): what its conversion covers, from the start of the device; bytes. */
export const frontOfRecording = 5 * 1024 * 1024;

/** What stock cryptsetup makes of a power cut at one place: repair, then resume, no guard. */
export type UnguardedOutcome =
  | 'intact'
  /** Resumed with exit code 0, and the data is not what it should be. */
  | 'lost'
  /** Data intact, but the resume fails for ever. */
  | 'stuck';

/** One run of `cryptsetup reencrypt` on plain files, write by write; made by record.ts. */
export interface Recording {
  readonly cryptsetup: string;
  readonly mode: ReencryptionMode;
  readonly resilience: string;
  readonly deviceBytes: number;
  /** Hex. Of this recording only. */
  readonly passphrase: string;
  readonly volumeKey: string;
  readonly events: readonly string[];
  /** Outcome of a cut before the first event, then after each. */
  readonly outcomes: readonly UnguardedOutcome[];
}

export interface RecordedState {
  /** Number of events that reached the disk. */
  readonly events: number;
  /** Both header copies at that moment. */
  readonly header: Uint8Array;
  readonly unguarded: UnguardedOutcome;
}

export const recordingNames = ['encrypt-journal', 'encrypt-checksum', 'reencrypt-journal', 'decrypt-journal'] as const;

export function loadRecording(name: string): Recording & { readonly states: readonly RecordedState[] } {
  const base = join(import.meta.dirname, 'recorded', name);
  const recording = JSON.parse(readFileSync(`${base}.json`, 'utf8')) as Recording;
  const areas = brotliDecompressSync(readFileSync(`${base}.br`));
  const states = recording.outcomes.map((unguarded, events) => ({
    events,
    header: areas.subarray(events * headerAreaBytes, (events + 1) * headerAreaBytes),
    unguarded,
  }));
  return { ...recording, states };
}
