import { hasCode, type Run, type RunOptions } from '@kannuki/core';

/**
 * Makes a range of a device zeros. Punching a hole into a block device makes the kernel unmap only where the disk promises zeros
 * afterwards (fallocate(2) on block devices; Linux, blkdev_fallocate: write zeroes with unmap, and no other way). Where it does not,
 * zeros are written.
 */
export async function zeroRange(
  run: Run,
  device: string,
  offset: number,
  length: number,
  options: RunOptions,
): Promise<void> {
  const range = ['--offset', String(offset), '--length', String(length)];
  try {
    await run('fallocate', ['--punch-hole', ...range, device], options);
  } catch (error) {
    if (!hasCode(error, 'KNK-CMD-0001')) throw error;
    await run('blkdiscard', ['--force', '--zeroout', ...range, device], options);
  }
}
