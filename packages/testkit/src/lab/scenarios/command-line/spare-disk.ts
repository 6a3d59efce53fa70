import { run } from '@kannuki/core';

/** A second disk of the machine, /dev/ubdb, for cases that put something else than a file system on a disk. */
export const spareMiB = 160;
export const spareDevice = '/dev/mapper/vm-spare';

/** As a partition, since LVM takes no disk of a kind that it does not know, and a ubd is one. */
export async function attachSpareDisk(): Promise<void> {
  const table = `0 ${spareMiB * 2048} linear /dev/ubdb 0`;
  await run('dmsetup', ['create', 'vm-spare', '--uuid', 'part1-spare', '--table', table]);
  await run('dmsetup', ['mknodes', 'vm-spare']);
}
