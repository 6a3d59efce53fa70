import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';

export const header = '/var/lib/kannuki/headers/kn_srv_data0.luks';

export interface Damage {
  readonly name: string;
  readonly inflict: () => void;
  /** What the new header has to be made of. */
  readonly rebuiltFrom: 'header' | 'record';
  readonly leavesFile: boolean;
}

/** What disks, people and file systems do to a header file. */
export const damages: readonly Damage[] = [
  {
    name: 'zeros all over',
    inflict: () => writeFileSync(header, Buffer.alloc(16 * 1024 * 1024)),
    rebuiltFrom: 'record',
    leavesFile: true,
  },
  { name: 'deleted', inflict: () => rmSync(header), rebuiltFrom: 'record', leavesFile: false },
  { name: 'empty', inflict: () => truncateSync(header, 0), rebuiltFrom: 'record', leavesFile: true },
  {
    name: 'cut off in the key slot',
    inflict: () => truncateSync(header, 40_000),
    rebuiltFrom: 'header',
    leavesFile: true,
  },
  {
    name: 'one byte flipped in each of both copies',
    inflict: () => {
      for (const offset of [5000, 16_384 + 5000]) overwrite(offset, Buffer.from([0xff]));
    },
    rebuiltFrom: 'record',
    leavesFile: true,
  },
  {
    name: 'noise over the key slot',
    inflict: () => overwrite(32_768, randomBytes(64 * 1024)),
    rebuiltFrom: 'header',
    leavesFile: true,
  },
];

function overwrite(offset: number, bytes: Uint8Array): void {
  const file = openSync(header, 'r+');
  try {
    writeSync(file, bytes, 0, bytes.length, offset);
  } finally {
    closeSync(file);
  }
}
