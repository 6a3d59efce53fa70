import type { Layout, Place } from './layout.ts';
import { cannotShrink, keepsBtrfs, oldDriver } from './refusals.ts';
import { mkfs, partition, sh } from './shell.ts';

function wholeDisk(type: Place['type'], diskMiB: number, more: Partial<Layout> = {}): Layout {
  return {
    name: `whole disk, ${type}`,
    disksMiB: [diskMiB],
    make: () => sh(`${mkfs[type]} /dev/ubdb`),
    places: [{ device: '/dev/ubdb', point: '/srv/data0', type }],
    ...more,
  };
}

/** Whole disks and partitions, with each file system. */
export const plainLayouts: readonly Layout[] = [
  wholeDisk('ext4', 200),
  wholeDisk('ext3', 160),
  wholeDisk('ext2', 160, { refused: oldDriver }),
  wholeDisk('xfs', 320, { refused: cannotShrink('xfs') }),
  wholeDisk('btrfs', 256, { refused: keepsBtrfs }),
  {
    name: 'GPT, three partitions with ext3 and ext4',
    disksMiB: [500],
    make: async () => {
      await partition('/dev/ubdb', 'gpt', 'size=160M', 'size=160M', 'size=170M');
      await sh(`${mkfs.ext4} /dev/ubdb1`, `${mkfs.ext3} /dev/ubdb2`, `${mkfs.ext4} /dev/ubdb3`);
    },
    places: [
      { device: '/dev/ubdb1', point: '/srv/data0', type: 'ext4' },
      { device: '/dev/ubdb2', point: '/srv/data1', type: 'ext3' },
      { device: '/dev/ubdb3', point: '/srv/data2', type: 'ext4' },
    ],
    growTargets: ['/srv/data2'],
  },
  {
    name: 'GPT, two partitions with XFS',
    disksMiB: [660],
    make: async () => {
      await partition('/dev/ubdb', 'gpt', 'size=320M', 'size=320M');
      await sh(`${mkfs.xfs} /dev/ubdb1`, `${mkfs.xfs} /dev/ubdb2`);
    },
    places: [
      { device: '/dev/ubdb1', point: '/srv/data0', type: 'xfs' },
      { device: '/dev/ubdb2', point: '/srv/data1', type: 'xfs' },
    ],
    growTargets: ['/srv/data1'],
    refused: cannotShrink('xfs'),
  },
  {
    name: 'MBR, a primary and a logical partition',
    disksMiB: [360],
    make: async () => {
      await partition(
        '/dev/ubdb',
        'dos',
        '/dev/ubdb1 : size=170M, type=83',
        '/dev/ubdb2 : type=5',
        '/dev/ubdb5 : type=83',
      );
      await sh(`${mkfs.ext4} /dev/ubdb1`, `${mkfs.ext3} /dev/ubdb5`);
    },
    places: [
      { device: '/dev/ubdb1', point: '/srv/data0', type: 'ext4' },
      { device: '/dev/ubdb5', point: '/srv/data1', type: 'ext3' },
    ],
    growTargets: ['/srv/data1'],
  },
  {
    name: 'btrfs, one subvolume mounted',
    disksMiB: [256],
    make: () =>
      sh(
        `${mkfs.btrfs} /dev/ubdb`,
        'mkdir -p /run/top',
        'mount -t btrfs /dev/ubdb /run/top',
        'btrfs -q subvolume create /run/top/@data',
        'umount /run/top',
      ),
    places: [
      { device: '/dev/ubdb', point: '/srv/data0', type: 'btrfs', options: 'subvol=/@data,compress=zstd,nofail' },
    ],
    refused: keepsBtrfs,
  },
];
