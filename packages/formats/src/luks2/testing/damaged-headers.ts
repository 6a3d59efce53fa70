import { createHash } from 'node:crypto';
import { damagedStructures, damagedTexts } from './damaged-json.ts';
import { damaged } from './edit-header.ts';

const copyBytes = 16384;

/** What readLuks2Header must say of a header: the copy it uses, or the error it throws. */
export type ReaderVerdict = 'primary' | 'secondary' | 'KNK-FMT-0101' | 'KNK-FMT-0102';

export interface DamagedHeader {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly verdict: ReaderVerdict;
  /** What the reader says of the primary copy, where that is invalid. */
  readonly problem?: RegExp;
}

/** Every kind of damage we know of, made from one good header of 32 KiB. */
export function damagedHeaders(good: Uint8Array): readonly DamagedHeader[] {
  return [...ofBytes(good), ...ofCopies(good), ...damagedTexts(good), ...damagedStructures(good)];
}

function ofBytes(good: Uint8Array): readonly DamagedHeader[] {
  return [
    { name: 'nothing', bytes: new Uint8Array(0), verdict: 'KNK-FMT-0101' },
    { name: 'zeros', bytes: new Uint8Array(64 * 1024), verdict: 'KNK-FMT-0101' },
    { name: 'ends in the magic', bytes: good.subarray(0, 5), verdict: 'KNK-FMT-0101' },
    { name: 'ends behind the magic', bytes: good.subarray(0, 6), verdict: 'KNK-FMT-0102', problem: /file ends/ },
    {
      name: 'ends in the first copy',
      bytes: good.subarray(0, copyBytes - 1),
      verdict: 'KNK-FMT-0102',
      problem: /ends/,
    },
    { name: 'ends behind the first copy', bytes: good.subarray(0, copyBytes), verdict: 'primary' },
    { name: 'ends in the second copy', bytes: good.subarray(0, 2 * copyBytes - 1), verdict: 'primary' },
    { name: 'LUKS1', bytes: luks1(good), verdict: 'KNK-FMT-0102', problem: /version 1/ },
  ];
}

function luks1(good: Uint8Array): Uint8Array {
  return damaged(good.subarray(0, copyBytes), (bytes) => bytes.writeUInt16BE(1, 6));
}

/** A change to the first copy only: with its checksum made right, and as it is. */
function ofCopies(good: Uint8Array): readonly DamagedHeader[] {
  const first = (change: (bytes: Buffer) => void): Uint8Array => damaged(good, (bytes) => sealed(bytes, 0, change));
  const second = (change: (bytes: Buffer) => void): Uint8Array =>
    damaged(good, (bytes) => sealed(bytes, copyBytes, change));
  const wrongChecksum = (offset: number) => (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  return [
    {
      name: 'one bit of the JSON',
      bytes: damaged(good, wrongChecksum(4200)),
      verdict: 'secondary',
      problem: /checksum/,
    },
    {
      name: 'one bit behind the JSON',
      bytes: damaged(good, wrongChecksum(16000)),
      verdict: 'secondary',
      problem: /checksum/,
    },
    {
      name: 'one bit of the salt',
      bytes: damaged(good, wrongChecksum(110)),
      verdict: 'secondary',
      problem: /checksum/,
    },
    {
      name: 'one bit of the checksum',
      bytes: damaged(good, wrongChecksum(450)),
      verdict: 'secondary',
      problem: /checksum/,
    },
    { name: 'one bit of the second copy', bytes: damaged(good, wrongChecksum(copyBytes + 4200)), verdict: 'primary' },
    {
      name: 'one bit of both copies',
      bytes: damaged(good, (bytes) => [4200, copyBytes + 4200].map((offset) => wrongChecksum(offset)(bytes))),
      verdict: 'KNK-FMT-0102',
      problem: /checksum/,
    },
    {
      name: 'no first copy',
      bytes: damaged(good, (bytes) => bytes.fill(0, 0, copyBytes)),
      verdict: 'secondary',
      problem: /magic/,
    },
    { name: 'no second copy', bytes: damaged(good, (bytes) => bytes.fill(0, copyBytes)), verdict: 'primary' },
    { name: 'size 0', bytes: first((bytes) => bytes.writeBigUInt64BE(0n, 8)), verdict: 'secondary', problem: /size 0/ },
    {
      name: 'size 4097',
      bytes: first((bytes) => bytes.writeBigUInt64BE(4097n, 8)),
      verdict: 'secondary',
      problem: /size/,
    },
    {
      name: 'size of 8 MiB',
      bytes: first((bytes) => bytes.writeBigUInt64BE(0x800000n, 8)),
      verdict: 'secondary',
      problem: /size/,
    },
    { name: 'size of 2^64-1', bytes: first((bytes) => bytes.fill(0xff, 8, 16)), verdict: 'secondary', problem: /size/ },
    {
      name: 'size beyond the file',
      bytes: first((bytes) => bytes.writeBigUInt64BE(0x400000n, 8)),
      verdict: 'secondary',
      problem: /ends/,
    },
    {
      name: 'wrong own offset',
      bytes: first((bytes) => bytes.writeBigUInt64BE(1n, 256)),
      verdict: 'secondary',
      problem: /offset/,
    },
    {
      name: 'unknown version',
      bytes: first((bytes) => bytes.writeUInt16BE(3, 6)),
      verdict: 'secondary',
      problem: /version 3/,
    },
    {
      name: 'unknown checksum',
      bytes: first((bytes) => bytes.write('md5\0\0\0', 72)),
      verdict: 'secondary',
      problem: /algorithm/,
    },
    { name: 'second copy newer', bytes: second((bytes) => bytes.writeBigUInt64BE(1000n, 16)), verdict: 'secondary' },
    { name: 'second copy older', bytes: second((bytes) => bytes.writeBigUInt64BE(1n, 16)), verdict: 'primary' },
    {
      name: 'second copy of another size',
      bytes: second((bytes) => bytes.writeBigUInt64BE(0x8000n, 8)),
      verdict: 'primary',
    },
  ];
}

/** Changes a copy and makes its checksum right. */
function sealed(bytes: Buffer, at: number, change: (copy: Buffer) => void): void {
  const copy = bytes.subarray(at, at + copyBytes);
  change(copy);
  copy.fill(0, 448, 512);
  copy.set(createHash('sha256').update(copy).digest(), 448);
}
