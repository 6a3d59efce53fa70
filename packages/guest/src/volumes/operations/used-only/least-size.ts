import type { Run } from '@kannuki/core';
import type { ExtGeometry, FlexLayout } from './ext-geometry.ts';
import { minimumBytes } from './ext-tools.ts';

/**
 * The least size that a file system can be shrunk to, bytes: what resize2fs estimates, or what we count, whichever is less.
 *
 * resize2fs (`calculate_minimum_resize_size`, e2fsprogs 1.47) counts the data of the first row of groups twice where the data needs
 * more groups than the inodes do: 819 MiB of files on 16 GiB make it say 1777 MiB, which would all have to be converted. It shrinks
 * such a file system to 1040 MiB when it is told to (measured).
 */
export async function leastSize(run: Run, device: string, geometry: ExtGeometry): Promise<number> {
  const estimated = await minimumBytes(run, device, geometry.blockBytes);
  const { flex } = geometry;
  const counted = flex === null || flex.groups > mostGroups ? null : leastBlocks(flex, geometry.blockBytes);
  return counted === null ? estimated : Math.min(estimated, counted * geometry.blockBytes);
}

/**
 * 128 GiB in groups of 128 MiB. On an almost empty file system of 3 TiB resize2fs ran out of room at a size that was counted; it was
 * taken back, and until that is understood its own estimate counts there.
 */
const mostGroups = 1024;

/** An extent takes 12 bytes, and each block of them a head. */
const extentBytes = 12;
/** Blocks besides its tables, with which resize2fs keeps a last group: 50, and some. */
const smallestLastGroup = 64;

/**
 * Everything that is in use, the tables of whole rows, and room for what grows when blocks are moved: a tree of extents for data that
 * falls to pieces, a block of them for one file in four or a twentieth of the data, a row of tables.
 * @returns null when no size below the present one will do
 */
export function leastBlocks(flex: FlexLayout, blockBytes: number): number | null {
  const { groups, groupBlocks, rowGroups, tableBlocks, usedBlocks, usedInodes, groupInodes, descriptorBlocks } = flex;
  const rowTables = rowGroups * tableBlocks;
  const data = Math.max(0, usedBlocks - groups * tableBlocks - superBlockCopies(flex, groups));
  const extents = Math.ceil(data / Math.floor(blockBytes / extentBytes - 1));
  const wanted = data + extents + Math.ceil(Math.min(usedInodes / 4, data / 20)) + rowTables;
  for (let count = Math.max(1, Math.ceil(usedInodes / groupInodes)); count < groups; count++) {
    const rows = Math.ceil(count / rowGroups);
    const needed = wanted + rows * rowTables + superBlockCopies(flex, count);
    if (needed > count * groupBlocks) continue;
    // The last row's tables begin with its first group; a last group with no room for more than its own is left out by resize2fs.
    const lastRow = (rows - 1) * rowGroups * groupBlocks + rowTables;
    const lastGroup = (count - 1) * groupBlocks + tableBlocks + 1 + descriptorBlocks + smallestLastGroup;
    return Math.max(needed, lastRow, lastGroup);
  }
  return null;
}

/** Blocks that the copies of super block and descriptors take: in groups 0 and 1 and the powers of 3, 5 and 7. */
function superBlockCopies({ descriptorBlocks }: FlexLayout, groups: number): number {
  let copies = Math.min(groups, 2);
  for (const base of [3, 5, 7]) for (let group = base; group < groups; group *= base) copies++;
  return copies * (1 + descriptorBlocks);
}
