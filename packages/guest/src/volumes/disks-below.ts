import type { Run } from '@kannuki/core';
import type { Journal } from './journal.ts';
import { isNamedBy } from './test-unlock.ts';

interface LsblkDevice {
  readonly name: string;
  readonly type: string;
  readonly children?: readonly LsblkDevice[];
}

/** Names of the physical disks that a device lies on; several for RAID and LVM, none when there is no such device. */
export async function disksBelow(device: string, run: Run): Promise<readonly string[]> {
  const { exitCode, stdout } = await run('lsblk', ['--json', '--inverse', '--output', 'NAME,TYPE', device], {
    accept: [0, 1, 32],
  });
  if (exitCode !== 0) return [];
  const disks = new Set<string>();
  const visit = ({ name, children = [] }: LsblkDevice): void => {
    if (children.length === 0) disks.add(name);
    for (const child of children) visit(child);
  };
  const { blockdevices } = JSON.parse(stdout) as { readonly blockdevices: readonly LsblkDevice[] };
  for (const one of blockdevices) visit(one);
  return [...disks];
}

interface FindmntReply {
  readonly filesystems: readonly { readonly source: string }[];
}

/** The disks of what a command names: a volume of ours, a mount point, or a device. */
export async function disksOfTarget(
  target: string,
  journals: readonly Journal[],
  run: Run,
): Promise<readonly string[]> {
  const journal = journals.find((one) => isNamedBy(one, target));
  if (journal !== undefined) return disksBelow(journal.device.path, run);
  const { exitCode, stdout } = await run('findmnt', ['--json', '--output', 'SOURCE', '--mountpoint', target], {
    accept: [0, 1],
  });
  if (exitCode === 1) return disksBelow(target, run);
  const { filesystems } = JSON.parse(stdout) as FindmntReply;
  return disksBelow(filesystems.at(-1)?.source ?? target, run);
}
