import { crc32 } from 'node:zlib';
import { KannukiError } from '@kannuki/core';

/**
 * The GUID partition table of a disk (UEFI specification 2.10, section 5.3), as far as partitions have to be found and the last one
 * has to grow. Only the primary table is believed: the kernel looks at the other one only when it is told to on its command line.
 */
export interface Gpt {
  readonly sectorBytes: number;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  /** Where the other header lies. */
  readonly alternateLba: number;
  readonly entriesLba: number;
  readonly entryBytes: number;
  readonly partitions: readonly GptPartition[];
  /** The header's sector and the array of entries as they are on the disk. */
  readonly header: Uint8Array;
  readonly entries: Uint8Array;
  /** The first 512 bytes of the disk. */
  readonly protectiveMbr: Uint8Array;
}

export interface GptPartition {
  readonly number: number;
  readonly firstLba: number;
  readonly lastLba: number;
}

/** So much of the beginning of a disk has to be given: no tool puts the primary table further behind. */
export const gptStartBytes = 1024 * 1024;

export const headerFields = {
  revision: 8,
  headerBytes: 12,
  headerCrc: 16,
  ownLba: 24,
  alternateLba: 32,
  firstUsableLba: 40,
  lastUsableLba: 48,
  entriesLba: 72,
  entryCount: 80,
  entryBytes: 84,
  entriesCrc: 88,
} as const;

export const entryFields = { firstLba: 32, lastLba: 40 } as const;

const signature = 'EFI PART';
const smallestHeader = 92;
const largestEntryBytes = 4096;
const largestEntryCount = 1024;
const unusedType = new Uint8Array(16);

/** Whether a disk claims to have such a table, whole or not. */
export function claimsGpt(start: Uint8Array, sectorBytes: number): boolean {
  return Buffer.from(start.subarray(sectorBytes, sectorBytes + 8)).toString('latin1') === signature;
}

/**
 * @param start the first bytes of the disk, gptStartBytes of them
 * @throws KannukiError KNK-FMT-0401 when the primary table is not whole
 */
export function readGpt(start: Uint8Array, sectorBytes: number): Gpt {
  if (!claimsGpt(start, sectorBytes)) throw damaged('no signature');
  const header = copyOf(start, sectorBytes, 2 * sectorBytes);
  const view = viewOf(header);
  const headerBytes = view.getUint32(headerFields.headerBytes, true);
  if (headerBytes < smallestHeader || headerBytes > sectorBytes) throw damaged('size of the header');
  if (view.getUint32(headerFields.headerCrc, true) !== headerCrc(header)) throw damaged('checksum of the header');
  const lba = (field: number): number => readLba(view, field);
  if (lba(headerFields.ownLba) !== 1) throw damaged('place of the header');
  const entryBytes = view.getUint32(headerFields.entryBytes, true);
  const entryCount = view.getUint32(headerFields.entryCount, true);
  if (entryBytes % 128 !== 0 || entryBytes === 0 || entryBytes > largestEntryBytes) throw damaged('size of an entry');
  if (entryCount === 0 || entryCount > largestEntryCount) throw damaged('number of entries');
  const entriesLba = lba(headerFields.entriesLba);
  const entriesStart = entriesLba * sectorBytes;
  const entries = copyOf(start, entriesStart, entriesStart + entryBytes * entryCount);
  if (entriesLba < 2 || entries.length !== entryBytes * entryCount) throw damaged('place of the entries');
  if (view.getUint32(headerFields.entriesCrc, true) !== crc32(entries)) throw damaged('checksum of the entries');
  return {
    sectorBytes,
    firstUsableLba: lba(headerFields.firstUsableLba),
    lastUsableLba: lba(headerFields.lastUsableLba),
    alternateLba: lba(headerFields.alternateLba),
    entriesLba,
    entryBytes,
    partitions: partitionsOf(entries, entryBytes),
    header,
    entries,
    protectiveMbr: copyOf(start, 0, 512),
  };
}

/** The slice() of a Buffer is no copy: what is changed in one place would change in all. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to));
}

function partitionsOf(entries: Uint8Array, entryBytes: number): readonly GptPartition[] {
  const found: GptPartition[] = [];
  for (let offset = 0; offset < entries.length; offset += entryBytes) {
    const entry = entries.subarray(offset, offset + entryBytes);
    if (Buffer.compare(entry.subarray(0, 16), unusedType) === 0) continue;
    const view = viewOf(entry);
    const [firstLba, lastLba] = [readLba(view, entryFields.firstLba), readLba(view, entryFields.lastLba)];
    if (lastLba < firstLba) throw damaged(`partition ${offset / entryBytes + 1}`);
    found.push({ number: offset / entryBytes + 1, firstLba, lastLba });
  }
  return found;
}

/** Of a header, whatever its own field of it says. */
export function headerCrc(header: Uint8Array): number {
  const bytes = new Uint8Array(header.subarray(0, viewOf(header).getUint32(headerFields.headerBytes, true)));
  viewOf(bytes).setUint32(headerFields.headerCrc, 0, true);
  return crc32(bytes);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readLba(view: DataView, offset: number): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a block number');
  return Number(value);
}

function damaged(detail: string): KannukiError {
  return new KannukiError('KNK-FMT-0401', { details: { detail } });
}
