import {
  haveSameKeys,
  type Luks2Metadata,
  liveSegments,
  type ReencryptionMode,
  reencryptKeyslot,
  type Segment,
  segmentWithFlag,
} from './model.ts';

/** What a header says about how much of its device is encrypted. All amounts are bytes of the data device. */
export interface ReencryptionProgress {
  /** A reencryption was begun and not ended: the header has its requirement or its key slot. */
  readonly pending: boolean;
  /** What is being done; null when nothing is pending, or when the header does not say. */
  readonly mode: ReencryptionMode | null;
  /**
   * A piece was being converted when the writer stopped: opening or repairing the volume recovers it first. cryptsetup
   * (2.6.1) does not do that safely: it never syncs the data, and when it is the last piece it wipes the journal before
   * the header forgets it, so a second power cut can lose the piece (recovery-live.test.ts). So before opening, keep a
   * durable copy of the whole header file; after it, sync the data device and remove the copy, and only then mount. A copy
   * that is found at the next boot is put back first: the recovery can be repeated as long as nobody else wrote.
   */
  readonly needsRecovery: boolean;
  /** Every byte is converted, and only the header's last clean-up is missing: see finishReencryption. */
  readonly awaitsFinish: boolean;
  readonly bytesEncrypted: number;
  /** Bytes in their final form. Differs from bytesEncrypted when decrypting or changing the volume key. */
  readonly bytesConverted: number;
  readonly bytesTotal: number;
}

const requirement = /^online-reencrypt(?:-v\d+)?$/;

/** Whether a header demands of its reader that it knows about a running reencryption. */
export function requiresReencryption(metadata: Luks2Metadata): boolean {
  return metadata.config.requirements.some((name) => requirement.test(name));
}

/**
 * The truth about a volume as its header has it now. A piece under conversion counts as not yet converted.
 * @param deviceSizeBytes of the data device, since a segment may reach "to the end"
 */
export function reencryptionProgress(metadata: Luks2Metadata, deviceSizeBytes: number): ReencryptionProgress {
  const live = liveSegments(metadata);
  const slot = reencryptKeyslot(metadata)?.[1];
  const pending = slot !== undefined || requiresReencryption(metadata);
  const isSettled = ([, segment]: readonly [number, Segment]): boolean => !segment.flags.includes('in-reencryption');
  const settled = live.filter(isSettled);
  const sum = (segments: readonly (readonly [number, Segment])[]): number =>
    segments.reduce((total, [, segment]) => total + sizeOf(segment, deviceSizeBytes), 0);

  const encrypted = settled.filter(([, segment]) => segment.type === 'crypt');
  // A piece under a change of key is ciphertext throughout: with the old key or with the new one.
  const isCrypt = ([, segment]: readonly [number, Segment]): boolean => segment.type === 'crypt';
  const bytesEncrypted = sum(slot?.mode === 'reencrypt' ? live.filter(isCrypt) : encrypted);
  const converted = pending ? settled.filter(([id, segment]) => isFinal(metadata, id, segment)) : settled;
  const needsRecovery = settled.length < live.length;
  return {
    pending,
    mode: slot?.mode ?? null,
    needsRecovery,
    awaitsFinish: pending && slot !== undefined && converted.length === live.length,
    bytesEncrypted,
    bytesConverted: sum(converted),
    bytesTotal: sum(live),
  };
}

/** Whether a live segment already is what the whole device is to become. */
function isFinal(metadata: Luks2Metadata, id: number, segment: Segment): boolean {
  const final = segmentWithFlag(metadata, 'backup-final');
  if (final === undefined) return false;
  const [finalId, wanted] = final;
  return (
    segment.type === wanted.type &&
    segment.crypt?.encryption === wanted.crypt?.encryption &&
    segment.crypt?.sectorSize === wanted.crypt?.sectorSize &&
    haveSameKeys(metadata, id, finalId)
  );
}

function sizeOf(segment: Segment, deviceSizeBytes: number): number {
  const toEnd = Math.max(0, deviceSizeBytes - Number(segment.offset));
  return segment.size === 'dynamic' ? toEnd : Math.min(toEnd, Number(segment.size));
}
