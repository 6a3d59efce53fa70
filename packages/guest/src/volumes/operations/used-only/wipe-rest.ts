import { open } from 'node:fs/promises';
import { hasCode, KannukiError, type Run, type RunOptions, syncFile } from '@kannuki/core';
import { kernelNameOf } from '../../../facts/kernel-name.ts';
import type { Step } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { activeMapping } from '../../mapping.ts';
import { mapperPath } from '../../steps/map.ts';
import { zeroRange } from '../../steps/zero-range.ts';
import { useOf } from '../../uses/uses.ts';
import { ensureOpen } from './ensure-open.ts';
import { fileSystemBytes } from './ext-tools.ts';
import { usedOnlyOf } from './used-only-of.ts';

/**
 * Between two pieces it is looked at whether the file system still ends before them. A disk that takes zeros as a command is done
 * with a piece at once: then the next one is twice as large, since a look costs more than the zeros do.
 */
const firstPieceBytes = 1024 ** 3;
const largestPieceBytes = 64 * 1024 ** 3;
const quickMilliseconds = 1000;
const pieceSeconds = 3600;
const samples = 64;
const sampleBytes = 4096;

/**
 * What lay behind the front before the shrink is still there in plain. It goes while the volume is in use again and before any
 * block is called encrypted. The disk itself is written to, below the mapping: the file system ends before.
 */
export const wipeRest: Step = async (journal, context) => {
  await ensureOpen(journal, context);
  const { frontBytes, rest } = usedOnlyOf(journal);
  const { path, sizeBytes } = journal.device;
  const wipe = rest === 'discard' ? discard : zeroRange;
  // A program that works on when this process is killed keeps the volume's lock.
  const held: RunOptions = {
    timeoutSeconds: pieceSeconds,
    ...(context.lock === null ? {} : { descriptors: [context.lock] }),
  };
  for (let at = frontBytes, piece = firstPieceBytes; at < sizeBytes; ) {
    context.signal?.throwIfAborted();
    const seen = await fileSystemBytes(mapperPath(journal));
    if (seen > frontBytes) {
      const details = { point: useOf(journal).name, seen, wanted: frontBytes, kibibytes: frontBytes / 1024 };
      throw new KannukiError('KNK-VOL-0062', { details });
    }
    // Zeros go to the disk below the mapping, and to no other that its name may lead to by now.
    await assertBelow(journal);
    const length = Math.min(piece, sizeBytes - at);
    const start = performance.now();
    await wipe(context.run, path, at, length, held);
    at += length;
    if (performance.now() - start < quickMilliseconds) piece = Math.min(2 * piece, largestPieceBytes);
  }
  await syncFile(path);
  if (rest === 'zeros') await assertZeros(path, frontBytes, sizeBytes);
  return journal;
};

/** The owner asked for speed: what the disk shows afterwards is its own affair. */
async function discard(run: Run, device: string, offset: number, length: number, held: RunOptions): Promise<void> {
  const range = ['--offset', String(offset), '--length', String(length)];
  try {
    await run('blkdiscard', ['--force', ...range, device], held);
  } catch (error) {
    if (!hasCode(error, 'KNK-CMD-0001')) throw error;
    // A disk that cannot discard: it takes longer, and nothing old is left.
    await zeroRange(run, device, offset, length, held);
  }
}

async function assertBelow(journal: Journal): Promise<void> {
  const below = (await activeMapping(journal.name))?.below ?? [];
  const device = await kernelNameOf(journal.device.path);
  if (below.includes(device)) return;
  const details = { volume: journal.name, device: journal.device.path, seen: device, wanted: below.join(', ') };
  throw new KannukiError('KNK-VOL-0004', { details });
}

/** Reads samples: the first and the last block, and others spread evenly. The kernel has dropped its cache of what was wiped. */
async function assertZeros(device: string, from: number, to: number): Promise<void> {
  const file = await open(device, 'r');
  try {
    const buffer = Buffer.alloc(sampleBytes);
    const last = Math.floor((to - from) / sampleBytes) - 1;
    for (let index = 0; index < samples; index++) {
      const block = Math.floor((last * index) / (samples - 1));
      await file.read(buffer, 0, sampleBytes, from + block * sampleBytes);
      if (buffer.some((byte) => byte !== 0)) throw new KannukiError('KNK-VOL-0063', { details: { device } });
    }
  } finally {
    await file.close();
  }
}
