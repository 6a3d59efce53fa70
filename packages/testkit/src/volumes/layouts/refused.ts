import type { MatrixOperationName } from '../operations.ts';
import { matrixOperationNames } from '../operations.ts';
import type { ExpectedRefusal, Layout } from './layout.ts';
import { mkfs, sh } from './shell.ts';

/** What no operation takes: the volume is not there for it, and the finding says why. */
export function refusedInAll(rule: string, says: string): Partial<Record<MatrixOperationName, ExpectedRefusal>> {
  return Object.fromEntries(matrixOperationNames.map((name) => [name, { rule, says }]));
}

const twoDisks = ['/dev/ubdb', '/dev/ubdc'];

/** Layouts that are refused, each with the rule that says why. */
export const refusedLayouts: readonly Layout[] = [
  {
    name: 'btrfs, several subvolumes mounted',
    disksMiB: [256],
    make: () =>
      sh(
        `${mkfs.btrfs} /dev/ubdb`,
        'mkdir -p /run/top',
        'mount -t btrfs /dev/ubdb /run/top',
        'btrfs -q subvolume create /run/top/@data',
        'btrfs -q subvolume create /run/top/@log',
        'umount /run/top',
      ),
    places: [
      { device: '/dev/ubdb', point: '/srv/data0', type: 'btrfs', options: 'subvol=/@data,nofail' },
      { device: '/dev/ubdb', point: '/srv/log', type: 'btrfs', options: 'subvol=/@log,nofail' },
    ],
    refused: refusedInAll('REQ-051', 'of this btrfs is mounted at'),
  },
  {
    name: 'btrfs over two disks',
    disksMiB: [256, 256],
    make: () => sh(`${mkfs.btrfs} -d raid1 -m raid1 ${twoDisks.join(' ')}`),
    places: [{ device: '/dev/ubdb', point: '/srv/data0', type: 'btrfs', options: 'device=/dev/ubdc,nofail' }],
    targets: ['/srv/data0', '/dev/ubdc'],
    refused: refusedInAll('REQ-091', 'one of several devices of a btrfs'),
    inShort: true,
  },
  {
    name: 'mount below a data volume',
    disksMiB: [160, 160],
    make: () => sh(...twoDisks.map((disk) => `${mkfs.ext4} ${disk}`)),
    places: [
      { device: '/dev/ubdb', point: '/srv/data0', type: 'ext4' },
      { device: '/dev/ubdc', point: '/srv/data0/inner', type: 'ext4' },
    ],
    refused: refusedInAll('REQ-092', '/srv/data0'),
  },
  {
    name: 'data volume over an OS folder',
    disksMiB: [160],
    make: () => sh(`${mkfs.ext4} /dev/ubdb`),
    places: [{ device: '/dev/ubdb', point: '/opt', type: 'ext4' }],
    refused: refusedInAll('REQ-093', 'is a folder of the OS'),
  },
  {
    name: 'swap space',
    disksMiB: [160],
    make: () => sh('mkswap /dev/ubdb'),
    places: [],
    targets: ['/dev/ubdb'],
    refused: refusedInAll('REQ-090', 'is swap space'),
  },
];
