import { rm } from 'node:fs/promises';
import { KannukiError, type Run, type SecretBytes } from '@kannuki/core';
import { type HeaderSource, type Luks2Metadata, readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { releasePassphrase, type VaultPort } from '@kannuki/keyvault';
import type { Cryptsetup } from '../volumes/cryptsetup.ts';
import { probeFileSystem } from '../volumes/mounting.ts';
import { probeThroughHeader } from './device-front.ts';
import { readMirror } from './header-mirror.ts';
import { takePlace, writeUnfinished } from './header-place.ts';
import { currentSource, headerFileOf } from './header-state.ts';
import { judgeHeader, type PresentHeader } from './present-header.ts';
import { refuseNeedlessRebuild } from './rebuild-refusals.ts';
import { readRecordedHeader } from './recorded-header.ts';
import type { RebuildSubject } from './subject.ts';

export interface RebuildContext {
  readonly run: Run;
  /** A folder in memory. */
  readonly runtime: string;
  readonly cryptsetup: Cryptsetup;
  readonly vault: VaultPort;
  /** Where a mirror of the header may lie. */
  readonly mirror: string;
  readonly now: Date;
  /** Bytes of the disk that were searched, where a conversion's boundary has to be found. */
  readonly onProgress?: (bytesDone: number) => void;
}

export interface RebuildReport {
  readonly volume: string;
  readonly header: string;
  /** `header`: its own metadata was whole, and only the key slot was made anew. */
  readonly rebuiltFrom: 'header' | 'record' | 'mirror';
  /** Where the old file is now; null when there was none. */
  readonly damagedKept: string | null;
  /** Bytes of the disk that the new header calls encrypted. */
  readonly bytesEncrypted: number;
  readonly bytesTotal: number;
  /** Key slots that are gone because nobody but their owner has what fills them, e.g. of a person's passphrase. */
  readonly droppedKeyslots: readonly number[];
}

/**
 * Makes a header anew that is lost or damaged. It is proved before it takes the place: cryptsetup opens it with the passphrase
 * from the vault, and through it the device shows the right file system. Nothing is written to the device. It can be begun
 * again after a power cut: until the last rename the old file is where it was.
 * @throws KannukiError KNK-VOL-0201 with findings; 0202 when the proof fails, 0203 when it is not certain how far a
 *   conversion has come; KNK-FMT-0106, KNK-FMT-0108
 */
export async function rebuildVolumeHeader(subject: RebuildSubject, context: RebuildContext): Promise<RebuildReport> {
  const { vault } = context;
  const { header, name, device } = subject;
  using passphrase = await releasePassphrase(vault, subject.passphrase);
  const present = await judgeHeader(header, subject.luksUuid, passphrase);
  await refuseNeedlessRebuild(subject, present, passphrase);
  using recorded = await readRecordedHeader(vault, subject.headerRecord);
  const { volumeKey } = recorded;
  if (subject.luksUuid !== null && recorded.source.uuid !== subject.luksUuid) {
    throw new KannukiError('KNK-FMT-0106', { details: { detail: `it is of the header ${recorded.source.uuid}` } });
  }
  const { from, source } = await bestSource(subject, present, recorded.source, volumeKey, context);
  const made = headerFileOf(source, { volumeKey, passphrase }, device.sizeBytes);
  const { metadata } = readLuks2Header(made.bytes).newest;
  const unfinished = `${header}.new`;
  try {
    await writeUnfinished(unfinished, made, from === 'header' ? header : undefined);
    await context.cryptsetup.testPassphrase(unfinished, device.path, passphrase);
    await assertShowsContent(subject, metadata, volumeKey, context);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  const damagedKept = await takePlace(header, unfinished, context.now);
  const { bytesEncrypted, bytesTotal } = reencryptionProgress(metadata, device.sizeBytes);
  const { droppedKeyslots } = made;
  return { volume: name, header, rebuiltFrom: from, damagedKept, bytesEncrypted, bytesTotal, droppedKeyslots };
}

async function bestSource(
  subject: RebuildSubject,
  present: PresentHeader,
  recorded: HeaderSource,
  volumeKey: SecretBytes,
  { mirror, onProgress }: RebuildContext,
): Promise<{ readonly from: RebuildReport['rebuiltFrom']; readonly source: HeaderSource }> {
  // Its own metadata is newer than every copy, and exact.
  if (present.state === 'locked-out') return { from: 'header', source: present.content };
  const mirrored = await readMirror(mirror, recorded.uuid);
  return await currentSource(subject, { recorded, mirrored }, volumeKey, onProgress);
}

async function assertShowsContent(
  { name, device, use }: RebuildSubject,
  metadata: Luks2Metadata,
  volumeKey: SecretBytes,
  { run, runtime }: RebuildContext,
): Promise<void> {
  const probe = use === null ? anyFileSystem : (path: string, runProgram: Run) => use.probe(path, runProgram);
  const parts = { probe, run, runtime, device: device.path, sizeBytes: device.sizeBytes };
  const seen = await probeThroughHeader(metadata, volumeKey, parts);
  if (seen !== undefined && (use === null || seen === use.wanted)) return;
  const wanted = use === null ? 'a file system' : use.wanted;
  const details = { volume: name, device: device.path, seen: seen ?? 'nothing known', wanted };
  throw new KannukiError('KNK-VOL-0202', { details });
}

async function anyFileSystem(device: string, run: Run): Promise<string | undefined> {
  const found = await probeFileSystem(run, device);
  return found === undefined ? undefined : `${found.type} ${found.uuid}`;
}
