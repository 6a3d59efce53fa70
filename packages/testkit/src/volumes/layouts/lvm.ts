import { appendFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import type { ExpectedRefusals, Layout } from './layout.ts';
import { cannotShrink, carriesDevices } from './refusals.ts';
import { refusedInAll } from './refused.ts';
import { makeLinks, mkfs, sh } from './shell.ts';

/** LVM makes its nodes by itself where no udev runs, if it is told so. */
async function lvm(...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [program = '', ...args] = line.split(' ');
    await run(program, args, { environment: { DM_DISABLE_UDEV: '1' }, timeoutSeconds: 120 });
  }
}

const activate = (): Promise<void> => lvm('vgchange -qq -ay');
const lv = (name: string): string => `/dev/mapper/data-${name}`;

/** A group over these disks with one logical volume for each size. */
async function makeGroup(disks: readonly string[], sizesMiB: Readonly<Record<string, number>>): Promise<void> {
  await lvm(...disks.map((disk) => `pvcreate -qq --yes ${disk}`), `vgcreate -qq --yes data ${disks.join(' ')}`);
  for (const [name, size] of Object.entries(sizesMiB)) {
    await lvm(`lvcreate -qq --yes -Wn -n ${name} -L ${size}M data`);
  }
}

/** A physical volume has no file system of its own. */
const belowGroup: ExpectedRefusals = {
  ...carriesDevices,
  ...cannotShrink('LVM2_member'),
  format: { rule: 'REQ-246', says: 'is a physical volume of LVM' },
};

/** What lies on encrypted disks counts as encrypted; the disks below get new keys, and cannot become plain below the others. */
const onEncrypted: ExpectedRefusals = {
  ...carriesDevices,
  encrypt: { rule: 'REQ-090', says: 'is encrypted already' },
  'used-only': { rule: 'REQ-090', says: 'is encrypted already' },
  format: { rule: 'REQ-090', says: 'is encrypted already' },
};

/** LVM in each order: dm-crypt above it, below it, and on disks that were encrypted first. */
export const lvmLayouts: readonly Layout[] = [
  {
    name: 'LVM, logical volumes (dm-crypt above LVM)',
    disksMiB: [400],
    make: async () => {
      await makeGroup(['/dev/ubdb'], { one: 160, two: 160 });
      await sh(`${mkfs.ext4} ${lv('one')}`, `${mkfs.ext4} ${lv('two')}`);
    },
    assemble: activate,
    places: [
      { device: lv('one'), point: '/srv/data0', type: 'ext4' },
      { device: lv('two'), point: '/srv/data1', type: 'ext4' },
    ],
    growTargets: ['/srv/data0'],
  },
  {
    name: 'LVM, physical volume (dm-crypt below LVM), with swap and a mount in a mount',
    disksMiB: [400],
    make: async () => {
      await makeGroup(['/dev/ubdb'], { one: 160, two: 100, swap: 32 });
      await sh(
        `${mkfs.ext4} ${lv('one')}`,
        `${mkfs.ext4} ${lv('two')}`,
        `mkswap ${lv('swap')}`,
        `swapon ${lv('swap')}`,
      );
      appendFileSync('/etc/fstab', `${lv('swap')} none swap sw,nofail 0 0\n`);
    },
    assemble: activate,
    afterUnlock: activate,
    places: [
      { device: lv('one'), point: '/srv/data0', type: 'ext4' },
      { device: lv('two'), point: '/srv/data0/inner', type: 'ext4' },
    ],
    targets: ['/dev/ubdb'],
    growTargets: ['/srv/data0'],
    refused: belowGroup,
  },
  {
    name: 'LVM, a group over two physical volumes (dm-crypt below LVM)',
    disksMiB: [200, 200],
    make: async () => {
      await makeGroup(['/dev/ubdb', '/dev/ubdc'], { one: 360 });
      await sh(`${mkfs.ext4} ${lv('one')}`);
    },
    assemble: activate,
    afterUnlock: activate,
    places: [{ device: lv('one'), point: '/srv/data0', type: 'ext4' }],
    targets: ['/dev/ubdb', '/dev/ubdc'],
    growTargets: ['/srv/data0'],
    refused: belowGroup,
  },
  {
    name: 'LVM, physical volume of the OS',
    disksMiB: [300],
    make: async () => {
      await makeGroup(['/dev/ubdb'], { boot: 160 });
      await sh(`${mkfs.ext4} ${lv('boot')}`);
    },
    places: [{ device: lv('boot'), point: '/boot', type: 'ext4' }],
    targets: ['/dev/ubdb'],
    refused: {
      ...refusedInAll('REQ-090', 'holds volumes of the OS'),
      grow: { rule: 'REQ-292', says: 'it lies on the disk of the OS' },
    },
  },
  {
    name: 'LVM on encrypted disks',
    disksMiB: [200, 200],
    encryptedFirst: [
      { device: '/dev/ubdb', point: '/srv/one', type: 'ext4' },
      { device: '/dev/ubdc', point: '/srv/two', type: 'ext4' },
    ],
    make: async () => {
      await lvm('wipefs -qa /dev/mapper/kn_srv_one', 'wipefs -qa /dev/mapper/kn_srv_two');
      await makeGroup(['/dev/mapper/kn_srv_one', '/dev/mapper/kn_srv_two'], { one: 320 });
      await sh(`${mkfs.ext4} ${lv('one')}`);
    },
    afterUnlock: activate,
    places: [{ device: lv('one'), point: '/srv/data0', type: 'ext4' }],
    refused: onEncrypted,
  },
  {
    name: 'md RAID 1 on encrypted disks',
    disksMiB: [200, 200],
    encryptedFirst: [
      { device: '/dev/ubdb', point: '/srv/one', type: 'ext4' },
      { device: '/dev/ubdc', point: '/srv/two', type: 'ext4' },
    ],
    make: async () => {
      await sh(
        'modprobe raid1',
        'wipefs -qa /dev/mapper/kn_srv_one /dev/mapper/kn_srv_two',
        'mdadm --create /dev/md/data --quiet --run --homehost=any --name=data --level=1 --raid-devices=2 --assume-clean /dev/mapper/kn_srv_one /dev/mapper/kn_srv_two',
      );
      await makeLinks();
      await sh(`${mkfs.ext4} /dev/md/data`);
    },
    afterUnlock: () =>
      sh(
        'modprobe raid1',
        'mdadm --assemble /dev/md/data --quiet --homehost=any /dev/mapper/kn_srv_one /dev/mapper/kn_srv_two',
      ),
    places: [{ device: '/dev/md/data', point: '/srv/data0', type: 'ext4' }],
    refused: onEncrypted,
  },
];
