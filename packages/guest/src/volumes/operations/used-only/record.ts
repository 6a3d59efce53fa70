import type { Estimates } from './estimate.ts';

/** What the journal keeps of an encryption of the used space only (`usedOnly`). No key is in it. */
export interface UsedOnlyRecord {
  /** The file system is shrunk to this many bytes, and only these are converted; a multiple of 1 MiB. */
  readonly frontBytes: number;
  /** What becomes of the rest of the disk: zeros, or only discarded because the owner asked for it and was told. */
  readonly rest: 'zeros' | 'discard';
  /** On record before the first block of the file system is moved: from here on it may be half shrunk. */
  readonly resizing: boolean;
  /** What was foreseen, to be held beside what came. */
  readonly estimates: Estimates;
}
