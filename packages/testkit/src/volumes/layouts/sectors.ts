import type { Layout } from './layout.ts';
import { cannotShrink, headerOnDisk } from './refusals.ts';
import { makeLinks, mkfs, sh } from './shell.ts';

/** The kernel's own SCSI disk in memory: gone with the machine. */
async function scsiDisk(options: string): Promise<void> {
  await sh('modprobe sd_mod', `modprobe scsi_debug dev_size_mb=200 ${options}`);
  await makeLinks();
  await sh(`${mkfs.ext4} /dev/sda`);
}

const tebibyteInMiB = 1024 * 1024;

/** Disks with other sectors, and one over 2 TiB. */
export const sectorLayouts: readonly Layout[] = [
  {
    name: 'SCSI disk, 4096-byte sectors (4Kn)',
    disksMiB: [],
    make: () => scsiDisk('sector_size=4096'),
    places: [{ device: '/dev/sda', point: '/srv/data0', type: 'ext4' }],
    isVolatile: true,
  },
  {
    name: 'SCSI disk, 512-byte sectors over 4096 (512e)',
    disksMiB: [],
    make: () => scsiDisk('sector_size=512 physblk_exp=3'),
    places: [{ device: '/dev/sda', point: '/srv/data0', type: 'ext4' }],
    isVolatile: true,
  },
  {
    name: 'disk of 3 TiB, XFS',
    disksMiB: [3 * tebibyteInMiB],
    make: () => sh('mkfs.xfs -q -f -s size=4096 -l size=64m /dev/ubdb'),
    places: [{ device: '/dev/ubdb', point: '/srv/data0', type: 'xfs' }],
    order: ['used-only', 'encrypt', 'format', 'rotate-passphrase', 'grow', 'decrypt', 'rotate-volume-key'],
    refused: { ...cannotShrink('xfs'), ...headerOnDisk },
    isHuge: true,
  },
  {
    name: 'disk of 3 TiB, ext4, nearly empty',
    disksMiB: [3 * tebibyteInMiB],
    make: () => sh('mkfs.ext4 -q -F -b 4096 -N 65536 -J size=64 /dev/ubdb'),
    places: [{ device: '/dev/ubdb', point: '/srv/data0', type: 'ext4' }],
    order: ['encrypt', 'used-only', 'rotate-passphrase', 'grow', 'decrypt', 'format', 'rotate-volume-key'],
    isHuge: true,
  },
];
