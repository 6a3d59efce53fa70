import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Reader of the record that the kernel's dm-log-writes target makes of a device: every write, flush and FUA in the
 * order of their completion, with marks of our own between them (Linux, Documentation/admin-guide/device-mapper/log-writes.rst
 * and drivers/md/dm-log-writes.c: little-endian, one sector a header, then the data).
 */
export interface LogEntry {
  /** First sector on the device, in units of 512 bytes. */
  readonly sector: number;
  readonly sectors: number;
  readonly isFlush: boolean;
  readonly isFua: boolean;
  readonly isDiscard: boolean;
  /** Text of a mark; undefined for entries that the device saw. */
  readonly mark: string | undefined;
  /** Where the data lies in the log, in bytes. */
  readonly dataOffset: number;
}

const magic = 0x6a736677736872n;
const flag = { flush: 1, fua: 2, discard: 4, mark: 8 } as const;
const superBlockBytes = 28;
const entryBytes = 32;

export class WriteLog {
  readonly entries: readonly LogEntry[];
  readonly #path: string;

  private constructor(path: string, entries: readonly LogEntry[]) {
    this.#path = path;
    this.entries = entries;
  }

  static open(path: string): WriteLog {
    const file = openSync(path, 'r');
    try {
      const superBlock = readExactly(file, superBlockBytes, 0);
      if (superBlock.readBigUInt64LE(0) !== magic) throw new Error(`${path} is not a dm-log-writes log`);
      const count = Number(superBlock.readBigUInt64LE(16));
      const sectorSize = superBlock.readUInt32LE(24);
      const entries: LogEntry[] = [];
      let offset = sectorSize;
      for (let index = 0; index < count; index++) {
        const header = readExactly(file, entryBytes, offset);
        const sectors = Number(header.readBigUInt64LE(8));
        const flags = Number(header.readBigUInt64LE(16));
        const dataLength = Number(header.readBigUInt64LE(24));
        const isMark = (flags & flag.mark) !== 0;
        const isDiscard = (flags & flag.discard) !== 0;
        entries.push({
          sector: Number(header.readBigUInt64LE(0)) * (sectorSize / 512),
          sectors: sectors * (sectorSize / 512),
          isFlush: (flags & flag.flush) !== 0,
          isFua: (flags & flag.fua) !== 0,
          isDiscard,
          mark: isMark
            ? readExactly(file, dataLength, offset + entryBytes)
                .toString('utf8')
                .replace(/\0.*$/s, '')
            : undefined,
          dataOffset: offset + sectorSize,
        });
        offset += sectorSize + (isDiscard ? 0 : sectors * sectorSize);
      }
      return new WriteLog(path, entries);
    } finally {
      closeSync(file);
    }
  }

  /** Gives `use` a reader of the entries' data: so many sectors of an entry, from a sector of it on. */
  withData(use: (read: (entry: LogEntry, from: number, sectors: number) => Buffer) => void): void {
    const log = openSync(this.#path, 'r');
    try {
      use((entry, from, sectors) =>
        entry.isDiscard ? Buffer.alloc(sectors * 512) : readExactly(log, sectors * 512, entry.dataOffset + from * 512),
      );
    } finally {
      closeSync(log);
    }
  }
}

function readExactly(file: number, length: number, position: number): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const count = readSync(file, buffer, done, length - done, position + done);
    if (count === 0) throw new Error(`the log ends at byte ${position + done}`);
    done += count;
  }
  return buffer;
}
