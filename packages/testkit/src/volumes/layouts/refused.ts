import type { ExpectedRefusal, ExpectedRefusals, Layout } from './layout.ts';
import { mkfs, sh } from './shell.ts';

const noVolume: ExpectedRefusal = { rule: 'KNK-VOL-0007', says: 'no encrypted volume at' };

/** What is never encrypted: the finding says why, and so there is nothing to rotate or to decrypt. It grows as a plain one. */
export function refusedInAll(rule: string, says: string): ExpectedRefusals {
  const never = { rule, says };
  return {
    encrypt: never,
    'used-only': never,
    format: never,
    'rotate-passphrase': noVolume,
    'rotate-volume-key': noVolume,
    decrypt: noVolume,
  };
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
    growTargets: ['/srv/data0'],
    refused: refusedInAll('REQ-091', 'one of several devices of a btrfs'),
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
    inShort: true,
  },
  {
    name: 'swap file on a data volume',
    disksMiB: [200],
    make: () => sh(`${mkfs.ext4} /dev/ubdb`),
    afterFill: () =>
      sh(
        'dd if=/dev/zero of=/srv/data0/swapfile bs=1M count=32 conv=fsync status=none',
        'chmod 600 /srv/data0/swapfile',
        'mkswap -q /srv/data0/swapfile',
        'swapon /srv/data0/swapfile',
      ),
    places: [{ device: '/dev/ubdb', point: '/srv/data0', type: 'ext4' }],
    refused: refusedInAll('REQ-051', 'swap'),
  },
];
