import { createHash } from 'node:crypto';

/** Bytes of the fixed part of a header copy; the JSON area follows (LUKS2 On-Disk Format Specification 1.1, 2.1). */
export const binaryHeaderSize = 4096;

/** Sizes a header copy may have; the secondary copy lies at that offset. */
export const headerSizes: readonly number[] = [14, 15, 16, 17, 18, 19, 20, 21, 22].map((power) => 2 ** power);

/** The fixed part of one header copy. Text fields are NUL-padded ASCII. */
export interface BinaryHeader {
  readonly secondary: boolean;
  /** Bytes of the copy, JSON area included. */
  readonly headerSize: number;
  readonly sequenceId: bigint;
  readonly label: string;
  readonly checksumAlgorithm: string;
  readonly salt: Uint8Array;
  readonly uuid: string;
  readonly subsystem: string;
}

const primaryMagic = Buffer.from('LUKS\xba\xbe', 'latin1');
const secondaryMagic = Buffer.from('SKUL\xba\xbe', 'latin1');

const at = {
  version: 6,
  headerSize: 8,
  sequenceId: 16,
  label: 24,
  algorithm: 72,
  salt: 104,
  uuid: 168,
  subsystem: 208,
};
const offsetAt = 256;
const checksumAt = 448;
const lengths = { label: 48, algorithm: 32, salt: 64, uuid: 40, subsystem: 48, checksum: 64 };
/** What cryptsetup writes; others are allowed by the format and used by nobody. */
const checksumAlgorithms = ['sha256', 'sha512', 'sha384', 'sha224', 'sha1'];

export function hasMagic(bytes: Uint8Array, offset: number, secondary: boolean): boolean {
  const magic = secondary ? secondaryMagic : primaryMagic;
  return magic.equals(bytes.subarray(offset, offset + magic.length));
}

/**
 * Reads the fixed part at an offset and checks it and the copy's checksum.
 * @returns the header, or in a few words what is wrong with it
 */
export function readBinaryHeader(bytes: Uint8Array, offset: number, secondary: boolean): BinaryHeader | string {
  if (bytes.length < offset + binaryHeaderSize) return 'the file ends within it';
  if (!hasMagic(bytes, offset, secondary)) return 'no LUKS magic';
  const fixed = bytes.subarray(offset, offset + binaryHeaderSize);
  const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength);
  if (view.getUint16(at.version) !== 2) return `version ${view.getUint16(at.version)}`;
  const headerSize = Number(view.getBigUint64(at.headerSize));
  if (!headerSizes.includes(headerSize)) return `impossible size ${headerSize}`;
  if (view.getBigUint64(offsetAt) !== BigInt(offset)) return 'its own offset is wrong';
  if (secondary && headerSize !== offset) return 'its offset does not match its size';
  if (bytes.length < offset + headerSize) return 'the file ends within it';
  const checksumAlgorithm = text(fixed, at.algorithm, lengths.algorithm);
  if (!checksumAlgorithms.includes(checksumAlgorithm)) return 'unknown checksum algorithm';
  const stored = fixed.subarray(checksumAt, checksumAt + lengths.checksum);
  const computed = checksum(bytes.subarray(offset, offset + headerSize), checksumAlgorithm);
  if (!computed.equals(stored.subarray(0, computed.length))) return 'wrong checksum';
  return {
    secondary,
    headerSize,
    sequenceId: view.getBigUint64(at.sequenceId),
    label: text(fixed, at.label, lengths.label),
    checksumAlgorithm,
    salt: fixed.slice(at.salt, at.salt + lengths.salt),
    uuid: text(fixed, at.uuid, lengths.uuid),
    subsystem: text(fixed, at.subsystem, lengths.subsystem),
  };
}

/**
 * One whole header copy with a right checksum.
 * @param json UTF-8, at least one byte shorter than the JSON area
 */
export function encodeHeaderCopy(header: BinaryHeader, json: Uint8Array): Uint8Array {
  const copy = Buffer.alloc(header.headerSize);
  copy.set(header.secondary ? secondaryMagic : primaryMagic);
  copy.writeUInt16BE(2, at.version);
  copy.writeBigUInt64BE(BigInt(header.headerSize), at.headerSize);
  copy.writeBigUInt64BE(header.sequenceId, at.sequenceId);
  copy.write(header.label, at.label, lengths.label - 1, 'latin1');
  copy.write(header.checksumAlgorithm, at.algorithm, lengths.algorithm - 1, 'latin1');
  copy.set(header.salt, at.salt);
  copy.write(header.uuid, at.uuid, lengths.uuid - 1, 'latin1');
  copy.write(header.subsystem, at.subsystem, lengths.subsystem - 1, 'latin1');
  copy.writeBigUInt64BE(header.secondary ? BigInt(header.headerSize) : 0n, offsetAt);
  copy.set(json, binaryHeaderSize);
  copy.set(checksum(copy, header.checksumAlgorithm), checksumAt);
  return copy;
}

/** Over the whole copy, with the checksum field taken as zeros. */
function checksum(copy: Uint8Array, algorithm: string): Buffer {
  return createHash(algorithm)
    .update(copy.subarray(0, checksumAt))
    .update(Buffer.alloc(lengths.checksum))
    .update(copy.subarray(checksumAt + lengths.checksum))
    .digest();
}

function text(fixed: Uint8Array, offset: number, length: number): string {
  const field = Buffer.from(fixed.subarray(offset, offset + length - 1));
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end);
}
