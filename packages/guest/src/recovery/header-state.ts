import { KannukiError, type SecretBytes } from '@kannuki/core';
import {
  atBoundary,
  finishReencryption,
  type HeaderSource,
  provenBoundary,
  type RebuiltHeader,
  rebuildHeader,
  reencryptionProgress,
} from '@kannuki/formats';
import { searchBoundary } from './boundary-search.ts';
import type { RebuildSubject } from './subject.ts';

export interface HeaderCopies {
  readonly recorded: HeaderSource;
  /** A copy of the header from a time in the conversion. */
  readonly mirrored: HeaderSource | undefined;
}

export interface CurrentSource {
  readonly from: 'record' | 'mirror';
  readonly source: HeaderSource;
}

/**
 * The header as it has to be now, from the copies that are left. The record from before the first block says "nothing is
 * encrypted": on a disk that is further it would give out ciphertext as plaintext, and a resume would encrypt it again.
 * So where the journal does not settle it, the disk itself has to.
 * @throws KannukiError KNK-VOL-0203 when the true boundary cannot be proved
 */
export async function currentSource(
  subject: RebuildSubject,
  { recorded, mirrored }: HeaderCopies,
  volumeKey: SecretBytes,
  onProgress?: (bytesDone: number) => void,
): Promise<CurrentSource> {
  const isPending = ({ metadata }: HeaderSource): boolean =>
    reencryptionProgress(metadata, subject.device.sizeBytes).pending;
  if (!isPending(recorded)) {
    // The final record. One from before a conversion of another kind would be older than the journal, which names its record.
    return { from: 'record', source: recorded };
  }
  if (subject.disk === 'plain') return { from: 'record', source: recorded };
  // Cut between the last block and the note of the final record: what the journal says decides.
  if (subject.disk === 'cipher') return { from: 'record', source: moved(recorded, 'end') };

  const isMirrorOfUse = mirrored !== undefined && isPending(mirrored) && mirrored.sequenceId > recorded.sequenceId;
  const base = isMirrorOfUse ? mirrored : recorded;
  const { path: device, sizeBytes } = subject.device;
  const search = { device, sizeBytes, metadata: base.metadata, volumeKey };
  const found = await searchBoundary(onProgress === undefined ? search : { ...search, onProgress });
  if (found.kind === 'unclear') {
    const known = Number(provenBoundary(base.metadata));
    throw new KannukiError('KNK-VOL-0203', { details: { volume: subject.name, known, reason: found.reason } });
  }
  const boundary = found.bytes === sizeBytes ? 'end' : BigInt(found.bytes);
  return { from: isMirrorOfUse ? 'mirror' : 'record', source: moved(base, boundary) };
}

function moved(source: HeaderSource, boundary: bigint | 'end'): HeaderSource {
  return { ...source, metadata: atBoundary(source.metadata, source.headerSize, boundary) };
}

/** The header file for a source, with the conversion's leftovers taken out where all is converted. */
export function headerFileOf(
  source: HeaderSource,
  secrets: { readonly volumeKey: SecretBytes; readonly passphrase: SecretBytes },
  deviceSizeBytes: number,
): RebuiltHeader {
  const rebuilt = rebuildHeader(source, secrets);
  const verdict = finishReencryption(rebuilt.bytes, deviceSizeBytes);
  if (!verdict.needed) return rebuilt;
  const bytes = Buffer.from(rebuilt.bytes);
  bytes.set(verdict.header);
  return { ...rebuilt, bytes };
}
