import { KannukiError } from '@kannuki/core';
import { JsonProblem } from '../json/ordered-json.ts';
import { type BinaryHeader, binaryHeaderSize, hasMagic, headerSizes, readBinaryHeader } from './binary-header.ts';
import { readMetadata } from './metadata.ts';
import type { Luks2Metadata } from './model.ts';

/** What one of the two copies on disk is worth. `stale`: whole, but older than the other. */
export type HeaderCopy =
  | { readonly state: 'newest' | 'stale'; readonly sequenceId: bigint }
  | { readonly state: 'invalid'; readonly problem: string };

export interface Luks2Header {
  readonly primary: HeaderCopy;
  readonly secondary: HeaderCopy;
  /** The copy that cryptsetup would use: of the valid ones the newer, the primary when both are equally new. */
  readonly newest: Luks2HeaderContent;
}

export interface Luks2HeaderContent {
  readonly copy: 'primary' | 'secondary';
  /** Bytes of one copy; the secondary copy lies at this offset. */
  readonly headerSize: number;
  readonly sequenceId: bigint;
  readonly uuid: string;
  readonly label: string;
  readonly subsystem: string;
  readonly metadata: Luks2Metadata;
}

/** A valid copy as it lies on disk. */
export interface FoundCopy {
  readonly binary: BinaryHeader;
  readonly metadata: Luks2Metadata;
}

/** Both copies, each found or with what is wrong with it. */
export interface FoundCopies {
  readonly primary: FoundCopy | string;
  readonly secondary: FoundCopy | string;
  readonly newest: FoundCopy;
}

/**
 * Reads a LUKS2 header from the first bytes of a device or header file: at least both copies (32 KiB as cryptsetup makes
 * them, 8 MiB at most). Any content is safe to pass: time and memory are linear in the first 8 MiB.
 * @throws KannukiError KNK-FMT-0101 when there is no LUKS2 header, KNK-FMT-0102 when no copy is valid
 */
export function readLuks2Header(bytes: Uint8Array): Luks2Header {
  const { primary, secondary, newest } = findCopies(bytes);
  const { binary, metadata } = newest;
  return {
    primary: describe(primary, newest),
    secondary: describe(secondary, newest),
    newest: {
      copy: binary.secondary ? 'secondary' : 'primary',
      headerSize: binary.headerSize,
      sequenceId: binary.sequenceId,
      uuid: binary.uuid,
      label: binary.label,
      subsystem: binary.subsystem,
      metadata,
    },
  };
}

/** Like readLuks2Header, with the binary parts that a rewrite needs. */
export function findCopies(bytes: Uint8Array): FoundCopies {
  const primary = readCopy(bytes, 0, false);
  const secondary = findSecondary(bytes, primary);
  if (typeof primary !== 'string') {
    const isNewer = typeof secondary !== 'string' && secondary.binary.sequenceId > primary.binary.sequenceId;
    return { primary, secondary, newest: isNewer ? secondary : primary };
  }
  if (typeof secondary !== 'string') return { primary, secondary, newest: secondary };
  if (!hasMagic(bytes, 0, false) && !headerSizes.some((offset) => hasMagic(bytes, offset, true))) {
    throw new KannukiError('KNK-FMT-0101');
  }
  throw new KannukiError('KNK-FMT-0102', { details: { primary, secondary } });
}

/** At the place that a whole primary copy names; without one, at the first place that holds a valid copy. */
function findSecondary(bytes: Uint8Array, primary: FoundCopy | string): FoundCopy | string {
  if (typeof primary !== 'string') return readCopy(bytes, primary.binary.headerSize, true);
  let problem = 'no LUKS magic';
  for (const offset of headerSizes) {
    if (!hasMagic(bytes, offset, true)) continue;
    const found = readCopy(bytes, offset, true);
    if (typeof found !== 'string') return found;
    problem = found;
  }
  return problem;
}

function readCopy(bytes: Uint8Array, offset: number, secondary: boolean): FoundCopy | string {
  const binary = readBinaryHeader(bytes, offset, secondary);
  if (typeof binary === 'string') return binary;
  const area = bytes.subarray(offset + binaryHeaderSize, offset + binary.headerSize);
  try {
    return { binary, metadata: readMetadata(area, binary.headerSize) };
  } catch (error) {
    if (error instanceof JsonProblem) return error.message;
    throw error;
  }
}

function describe(copy: FoundCopy | string, newest: FoundCopy): HeaderCopy {
  if (typeof copy === 'string') return { state: 'invalid', problem: copy };
  const { sequenceId } = copy.binary;
  return { state: sequenceId === newest.binary.sequenceId ? 'newest' : 'stale', sequenceId };
}
