import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { KannukiError, writeFileDurably } from '@kannuki/core';
import { isSame } from '../embedded/row-seal.ts';
import type { ChainKey } from './chain-key.ts';
import type { Link } from './line.ts';
import { unreadable } from './segments.ts';

/** Where a log ended once: up to here nothing may be missing. */
export interface Anchor extends Link {
  /** Number of the segment that the line is in. */
  readonly segment: number;
  /** Byte after the line's line feed. */
  readonly offset: number;
}

/**
 * Keeps one small text elsewhere than the log; the log seals it. Whoever can write to both places can put an older
 * state of both back, which nothing on this machine can tell: that is what copies on another machine are for.
 */
export interface AnchorStore {
  /** @returns null where nothing was written yet */
  read(): Promise<string | null>;
  /** When it resolves, the text survives a power cut. */
  write(text: string): Promise<void>;
}

const longestAnchorBytes = 1024;

/** An anchor in a file of its own. */
export class FileAnchorStore implements AnchorStore {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws KannukiError KNK-AUD-0003 */
  async read(): Promise<string | null> {
    try {
      await using file = await open(this.file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const buffer = Buffer.alloc(longestAnchorBytes);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw unreadable(this.file, error);
    }
  }

  /** @throws KannukiError KNK-AUD-0001 */
  async write(text: string): Promise<void> {
    try {
      await writeFileDurably(this.file, text, 0o600);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new KannukiError('KNK-AUD-0001', { details: { file: this.file, reason }, cause: error });
    }
  }
}

export function sealAnchor(anchor: Anchor, key: ChainKey): string {
  const { segment, offset, sequence, hash, mac } = anchor;
  return `${JSON.stringify({ segment, offset, sequence, hash, mac, seal: key.mac('anchor', fieldsOf(anchor)) })}\n`;
}

/**
 * @param key null: the seal cannot be checked
 * @returns undefined where it is not an anchor, or was not sealed with this key
 */
export function openAnchor(text: string, key: ChainKey | null): Anchor | undefined {
  const shape =
    /^\{"segment":(\d{1,8}),"offset":(\d{1,15}),"sequence":(\d{1,15}),"hash":"([0-9a-f]{64})","mac":"([0-9a-f]{64})","seal":"([0-9a-f]{64})"\}\n$/;
  const [, segment, offset, sequence, hash, mac, seal] = shape.exec(text) ?? [];
  if (hash === undefined || mac === undefined || seal === undefined) return undefined;
  const anchor = { segment: Number(segment), offset: Number(offset), sequence: Number(sequence), hash, mac };
  if (key === null) return anchor;
  const expected = key.mac('anchor', fieldsOf(anchor));
  return isSame(Buffer.from(expected, 'latin1'), Buffer.from(seal, 'latin1')) ? anchor : undefined;
}

function fieldsOf({ segment, offset, sequence, hash, mac }: Anchor): readonly (string | number)[] {
  return [segment, offset, sequence, hash, mac];
}
