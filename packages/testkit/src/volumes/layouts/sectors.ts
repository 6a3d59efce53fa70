import type { Layout } from './layout.ts';
import { cannotShrink, headerOnDisk } from './refusals.ts';
import { makeLinks, mkfs, partition, sh } from './shell.ts';

/** The kernel's own SCSI disk in memory: gone with the machine. */
async function scsiDisk(options: string): Promise<void> {
  await sh('modprobe sd_mod', `modprobe scsi_debug ${options}`);
  await makeLinks();
}

async function attachVirtio(): Promise<void> {
  await sh('modprobe virtio_blk');
  await makeLinks();
}

const tebibyteInMiB = 1024 * 1024;

/** Disks with other sectors and other names, and one over 2 TiB. */
export const sectorLayouts: readonly Layout[] = [
  {
    name: 'virtio disk with 4096-byte sectors (4Kn)',
    disksMiB: [200],
    virtioSectorBytes: 4096,
    make: async () => {
      await attachVirtio();
      await sh(`${mkfs.ext4} /dev/vda`);
    },
    assemble: attachVirtio,
    places: [{ device: '/dev/vda', point: '/srv/data0', type: 'ext4' }],
  },
  {
    name: 'virtio disks, one with two partitions',
    disksMiB: [340, 160],
    virtioSectorBytes: 512,
    make: async () => {
      await attachVirtio();
      await partition('/dev/vda', 'gpt', 'size=160M', 'size=160M');
      await sh(`${mkfs.ext4} /dev/vda1`, `${mkfs.ext3} /dev/vda2`, `${mkfs.ext4} /dev/vdb`);
    },
    assemble: attachVirtio,
    places: [
      { device: '/dev/vda1', point: '/srv/data0', type: 'ext4' },
      { device: '/dev/vda2', point: '/srv/data1', type: 'ext3' },
      { device: '/dev/vdb', point: '/srv/data2', type: 'ext4' },
    ],
    growTargets: ['/srv/data1', '/srv/data2'],
  },
  {
    name: 'SCSI disk, 512-byte sectors over 4096 (512e), two partitions',
    disksMiB: [],
    make: async () => {
      await scsiDisk('dev_size_mb=340 delay=0 sector_size=512 physblk_exp=3');
      await partition('/dev/sda', 'gpt', 'size=160M', 'size=160M');
      await sh(`${mkfs.ext4} /dev/sda1`, `${mkfs.ext4} /dev/sda2`);
    },
    places: [
      { device: '/dev/sda1', point: '/srv/data0', type: 'ext4' },
      { device: '/dev/sda2', point: '/srv/data1', type: 'ext4' },
    ],
    growTargets: ['/srv/data1'],
    isVolatile: true,
  },
  {
    name: 'disk of 3 TiB, XFS',
    disksMiB: [3 * tebibyteInMiB],
    virtioSectorBytes: 512,
    make: async () => {
      await attachVirtio();
      await sh('mkfs.xfs -q -f -s size=4096 -l size=64m /dev/vda');
    },
    assemble: attachVirtio,
    places: [{ device: '/dev/vda', point: '/srv/data0', type: 'xfs' }],
    order: ['used-only', 'encrypt', 'format', 'rotate-passphrase', 'grow', 'decrypt', 'rotate-volume-key'],
    refused: { ...cannotShrink('xfs'), ...headerOnDisk },
    isHuge: true,
  },
  {
    name: 'disk of 3 TiB, ext4, nearly empty',
    disksMiB: [3 * tebibyteInMiB],
    virtioSectorBytes: 512,
    make: async () => {
      await attachVirtio();
      await sh('mkfs.ext4 -q -F -b 4096 -N 65536 -J size=64 /dev/vda');
    },
    assemble: attachVirtio,
    places: [{ device: '/dev/vda', point: '/srv/data0', type: 'ext4' }],
    order: ['encrypt', 'used-only', 'rotate-passphrase', 'grow', 'decrypt', 'format', 'rotate-volume-key'],
    isHuge: true,
  },
];
