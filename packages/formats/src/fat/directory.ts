import { KannukiError } from '@kannuki/core';
import { entryBytes } from './geometry.ts';

const archive = 0x20;
const volumeLabel = 0x08;
const longName = 0x0f;
const lastLongEntry = 0x40;
const unitsPerEntry = 13;
/** Where the 13 UTF-16 units of a long-name entry lie. */
const unitOffsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/** 1 January 1980, the first day of FAT: images with the same content are the same bytes. */
const firstDay = 0x0021;

export interface DirectoryFile {
  readonly name: string;
  readonly firstCluster: number;
  readonly size: number;
}

/** The label's own entry; the label is 1 to 11 upper-case characters. */
export function labelEntry(label: string): Uint8Array {
  const entry = Buffer.alloc(entryBytes);
  entry.write(paddedLabel(label), 'latin1');
  entry[11] = volumeLabel;
  entry.writeUInt16LE(firstDay, 24);
  return entry;
}

/** The label as boot sector and directory hold it. */
export function paddedLabel(label: string): string {
  if (!/^[A-Z0-9_][A-Z0-9_ -]{0,10}$/.test(label)) refuse(`label "${label}"`);
  return label.padEnd(11, ' ');
}

/** All entries of the root directory: for each file its long name, where it needs one, and its short name. */
export function directoryEntries(files: readonly DirectoryFile[]): readonly Uint8Array[] {
  const shortNames = new Set<string>();
  const names = new Set<string>();
  return files.flatMap((file) => {
    checkName(file.name);
    const key = file.name.toUpperCase();
    if (names.has(key)) refuse(`two files named "${file.name}" (FAT does not tell capitals apart)`);
    names.add(key);
    const shortName = shortNameFor(file.name, shortNames);
    shortNames.add(shortName);
    const isPlain = asWritten(shortName) === file.name;
    return [...(isPlain ? [] : longNameEntries(file.name, checksum(shortName))), fileEntry(file, shortName)];
  });
}

/** ASCII without the characters that FAT keeps for itself: what every mount option reads the same way. */
function checkName(name: string): void {
  const isGood = /^[\x20-\x7e]{1,255}$/.test(name) && !/["*/:<>?\\|]/.test(name) && !/[. ]$/.test(name);
  if (!isGood || name.startsWith(' ')) refuse(`file name ${JSON.stringify(name)}`);
}

/** Eleven characters: the name itself where it fits 8.3 in capitals, else its beginning and a number. */
function shortNameFor(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : [name, ''];
  const plain = `${stem.padEnd(8)}${extension.padEnd(3)}`;
  if (/^[A-Z0-9_-]{1,8}$/.test(stem) && /^[A-Z0-9_-]{0,3}$/.test(extension) && !taken.has(plain)) return plain;
  const clean = (part: string): string => part.toUpperCase().replace(/[^A-Z0-9_-]/g, '');
  const suffix = clean(extension).slice(0, 3).padEnd(3);
  for (let number = 1; number <= taken.size + 1; number++) {
    const tail = `~${number}`;
    const candidate = `${`${clean(stem).slice(0, 8 - tail.length)}${tail}`.padEnd(8)}${suffix}`;
    if (!taken.has(candidate)) return candidate;
  }
  return refuse(`too many files like "${name}"`);
}

function asWritten(shortName: string): string {
  const stem = shortName.slice(0, 8).trimEnd();
  const extension = shortName.slice(8).trimEnd();
  return extension === '' ? stem : `${stem}.${extension}`;
}

/** Last piece first, as they lie before the short entry. */
function longNameEntries(name: string, sum: number): readonly Uint8Array[] {
  const count = Math.ceil(name.length / unitsPerEntry);
  return Array.from({ length: count }, (_, index) => {
    const number = count - index;
    const entry = Buffer.alloc(entryBytes);
    entry[0] = number === count ? number | lastLongEntry : number;
    entry[11] = longName;
    entry[13] = sum;
    for (const [place, offset] of unitOffsets.entries()) {
      const at = (number - 1) * unitsPerEntry + place;
      // The name ends with a zero where there is room for one; behind it all bits are set.
      entry.writeUInt16LE(at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff, offset);
    }
    return entry;
  });
}

/** Ties long-name entries to their short one. */
function checksum(shortName: string): number {
  return [...Buffer.from(shortName, 'latin1')].reduce(
    (sum, byte) => ((((sum & 1) << 7) | (sum >> 1)) + byte) & 0xff,
    0,
  );
}

function fileEntry({ firstCluster, size }: DirectoryFile, shortName: string): Uint8Array {
  const entry = Buffer.alloc(entryBytes);
  entry.write(shortName, 'latin1');
  entry[11] = archive;
  for (const date of [16, 18, 24]) entry.writeUInt16LE(firstDay, date);
  entry.writeUInt16LE(firstCluster, 26);
  entry.writeUInt32LE(size, 28);
  return entry;
}

function refuse(detail: string): never {
  throw new KannukiError('KNK-FMT-0301', { details: { detail } });
}
