import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError } from '@kannuki/core';
import { maximumLineBytes } from './line.ts';

const shape = /^audit-(\d{8})\.jsonl$/;

export function segmentName(segment: number): string {
  return `audit-${String(segment).padStart(8, '0')}.jsonl`;
}

/** Numbers of the segments in a folder, in order. @throws KannukiError KNK-AUD-0003 */
export async function listSegments(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  return names
    .flatMap((name) => {
      const digits = shape.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    })
    .toSorted((left, right) => left - right);
}

/** Opens a segment to read it, and nothing else that has its name. */
export async function openSegment(folder: string, segment: number): Promise<FileHandle> {
  return open(join(folder, segmentName(segment)), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

export interface RawLine {
  /** Without its line feed; of a line that is too long only the beginning. */
  readonly bytes: Buffer;
  /** 1 is the first that was read. */
  readonly number: number;
  readonly start: number;
  /** Byte after the line feed. */
  readonly end: number;
  /** False for what stands behind the last line feed. */
  readonly complete: boolean;
}

const chunkBytes = 64 * 1024;

/**
 * Reads the lines of a segment piece by piece, in bounded memory whatever the file holds.
 * @param from first byte. @param until byte to stop before
 * @throws KannukiError KNK-AUD-0003
 */
export async function* linesOf(
  folder: string,
  segment: number,
  from = 0,
  until = Number.POSITIVE_INFINITY,
): AsyncGenerator<RawLine> {
  const file = await openSegment(folder, segment).catch((error: unknown) => {
    throw unreadable(join(folder, segmentName(segment)), error);
  });
  try {
    let position = from;
    let start = from;
    let number = 1;
    let begun = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(0, until - position)));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position).catch((error: unknown) => {
        throw unreadable(join(folder, segmentName(segment)), error);
      });
      if (bytesRead === 0) break;
      position += bytesRead;
      const data = Buffer.concat([begun, chunk.subarray(0, bytesRead)]);
      let next = 0;
      for (let feed = data.indexOf(10); feed !== -1; feed = data.indexOf(10, next)) {
        const end = position - data.length + feed + 1;
        yield { bytes: data.subarray(next, feed), number, start, end, complete: true };
        number += 1;
        start = end;
        next = feed + 1;
      }
      // Enough to see that it is too long.
      begun = data.subarray(next, next + maximumLineBytes + 1);
    }
    if (start < position) yield { bytes: begun, number, start, end: position, complete: false };
  } finally {
    await file.close();
  }
}

export function unreadable(file: string, error: unknown): KannukiError {
  const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return new KannukiError('KNK-AUD-0003', { details: { file, reason }, cause: error });
}
