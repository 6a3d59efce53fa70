import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Run, writeAll } from '@kannuki/core';
import { growPartition, type TableWrite } from '@kannuki/formats';
import type { BlockDevice } from '../facts/model.ts';
import { deviceBytes, readSysfs } from './details.ts';
import { growthOf, readPartitionTable, sizeInTable } from './partition-table.ts';

/** What the kernel counts sizes of partitions in, whatever the sectors of the disk are. */
const kernelSectorBytes = 512;

/**
 * Gives the last partition of a disk the room behind it: in the table first, then in the kernel's mind, with the partition in use
 * (BLKPG_RESIZE_PARTITION by resizepart(8)). After a cut between the two the boot reads the table.
 */
export async function growPartitionOf(partition: BlockDevice, disk: BlockDevice, run: Run): Promise<void> {
  const table = await readPartitionTable(disk, run);
  const number = Number(await readSysfs(partition.kernelName, 'partition'));
  const diskBytes = await deviceBytes(disk.kernelName);
  const sectorBytes = disk.logicalSectorBytes;
  const growth = growthOf(table, { number, diskBytes, sectorBytes });
  if (typeof growth === 'string') throw new Error(`${partition.path} cannot grow: ${growth}`);
  const { start, size, around } = growth;
  if (table.label === 'gpt') {
    const lastLba = start + size - 1;
    const plan = growPartition(table.gpt, { diskBytes, number, lastLba });
    if (typeof plan === 'string') throw new Error(`${partition.path} cannot grow: ${plan}`);
    if (sizeInTable(table, number) !== size) await writeTable(disk.path, plan);
  }
  if (table.label === 'dos') {
    // Each of the two is one sector, and the larger one around comes first: no state between them harms anybody.
    if (around !== null) await resizeInMbr(disk.path, around.number, around.size, run);
    if (sizeInTable(table, number) !== size) await resizeInMbr(disk.path, number, size, run);
  }
  if (sizeInTable(await readPartitionTable(disk, run), number) !== size) {
    throw new Error(`${disk.path} does not show its new table`);
  }
  const bytes = size * sectorBytes;
  if ((await deviceBytes(partition.kernelName)) === bytes) return;
  await run('resizepart', [disk.path, String(number), String(bytes / kernelSectorBytes)]);
}

async function writeTable(disk: string, groups: readonly (readonly TableWrite[])[]): Promise<void> {
  const file = await open(disk, constants.O_RDWR);
  try {
    for (const group of groups) {
      for (const { offset, bytes } of group) await writeAll(file, bytes, offset);
      await file.sync();
    }
  } finally {
    await file.close();
  }
}

/** One entry of the table, with a new size and all else as it is; sfdisk(8) syncs before it ends. */
async function resizeInMbr(disk: string, number: number, size: number, run: Run): Promise<void> {
  const careful = ['--quiet', '--no-reread', '--no-tell-kernel', '--wipe', 'never', '--wipe-partitions', 'never'];
  await run('sfdisk', [...careful, '-N', String(number), disk], { input: `,${size}\n` });
}
