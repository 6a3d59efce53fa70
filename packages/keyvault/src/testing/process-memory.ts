import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const windowBytes = 4 * 1024 * 1024;

/** Where in the readable memory of a process one of the needles stands: `MAPPING+OFFSET`. */
export function findInMemory(pid: number, needles: readonly Uint8Array[]): readonly string[] {
  const overlap = Math.max(...needles.map(({ length }) => length)) - 1;
  const window = Buffer.alloc(windowBytes + overlap);
  const found: string[] = [];
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end, name } of readableMappings(pid)) {
      for (let at = start; at < end; at += BigInt(windowBytes)) {
        const length = Number(end - at < BigInt(window.length) ? end - at : BigInt(window.length));
        const bytes = window.subarray(0, readSome(memory, window, length, at));
        for (const needle of needles) {
          const index = bytes.indexOf(needle);
          if (index >= 0) found.push(`${name}+0x${(at - start + BigInt(index)).toString(16)}`);
        }
      }
    }
  } finally {
    closeSync(memory);
    window.fill(0);
  }
  return found;
}

interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly name: string;
}

function readableMappings(pid: number): readonly Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
    const [, start, end, name = ''] = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)$/.exec(line) ?? [];
    if (start === undefined || end === undefined || name === '[vvar]' || name === '[vsyscall]') continue;
    mappings.push({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), name: name === '' ? 'anonymous' : name });
  }
  return mappings;
}

/** A mapping may hold pages that cannot be read (guards); what comes before them counts. */
function readSome(memory: number, window: Buffer, length: number, at: bigint): number {
  try {
    return readSync(memory, window, 0, length, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0;
    throw error;
  }
}
