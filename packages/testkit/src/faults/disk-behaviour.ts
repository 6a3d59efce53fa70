import { run } from '@kannuki/core';
import type { SmallVm } from '../power-cut/small-vm.ts';

/** `vm-data`: below the data volume; `vm-state`: the OS disk with headers and journals. */
export type FaultyDisk = 'vm-data' | 'vm-state';

/**
 * How a disk behaves from now on, for everybody who has it open: its table is exchanged in use, as device mapper
 * can, and the device stays the same one.
 */
export type DiskBehaviour =
  | { readonly kind: 'healthy' }
  /** Each request takes so much longer. */
  | { readonly kind: 'slow'; readonly milliseconds: number }
  /** Writes fail, reads do not (dm-flakey). */
  | { readonly kind: 'write-errors' }
  /** Everything from here on fails (dm-error): a defect, or from 0 on a disk that was pulled out. */
  | { readonly kind: 'dead-from'; readonly bytes: number };

const sectorBytes = 512;

/** Loads what the behaviours need; the lab has no udev that would. */
export async function prepareBehaviours(): Promise<void> {
  await run('modprobe', ['--all', 'dm-delay', 'dm-flakey']);
}

export async function setBehaviour(vm: SmallVm, disk: FaultyDisk, behaviour: DiskBehaviour): Promise<void> {
  await exchangeTable(disk, tableOf(vm, disk, behaviour));
}

/** Puts another disk in the place of the data volume's, which nothing uses at that moment; null: its own again. */
export async function setDiskBelow(vm: SmallVm, other: string | null): Promise<void> {
  await run('blockdev', ['--flushbufs', '/dev/mapper/vm-data']);
  const table =
    other === null ? tableOf(vm, 'vm-data', { kind: 'healthy' }) : `0 ${vm.dataMiB * 2048} linear ${other} 0`;
  await exchangeTable('vm-data', table);
  await run('blockdev', ['--flushbufs', '/dev/mapper/vm-data']);
}

async function exchangeTable(disk: FaultyDisk, table: string): Promise<void> {
  await run('dmsetup', ['reload', disk, '--table', table]);
  // --noflush, --nolockfs: a disk does not ask before it breaks.
  await run('dmsetup', ['suspend', '--noflush', '--nolockfs', disk]);
  await run('dmsetup', ['resume', disk]);
}

function tableOf(vm: SmallVm, disk: FaultyDisk, behaviour: DiskBehaviour): string {
  const start = disk === 'vm-state' ? 0 : vm.stateMiB * 2048;
  const length = (disk === 'vm-state' ? vm.stateMiB : vm.dataMiB) * 2048;
  switch (behaviour.kind) {
    case 'healthy':
      return `0 ${length} linear /dev/ubda ${start}`;
    case 'slow':
      return `0 ${length} delay /dev/ubda ${start} ${behaviour.milliseconds}`;
    case 'write-errors':
      // Up for no second, then down for a day, over and over.
      return `0 ${length} flakey /dev/ubda ${start} 0 86400 1 error_writes`;
    case 'dead-from': {
      const good = behaviour.bytes / sectorBytes;
      const dead = `${good} ${length - good} error`;
      return good === 0 ? dead : `0 ${good} linear /dev/ubda ${start}\n${dead}`;
    }
  }
}
