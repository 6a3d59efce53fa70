import { mkdirSync, symlinkSync } from 'node:fs';
import type { Layout } from './layout.ts';
import { headerOnDisk, keyOfBoot } from './refusals.ts';
import { mkfs, partition, sh } from './shell.ts';

const noFileSystem = { rule: 'REQ-090', says: 'has no file system' };
const temporaryLink = '/dev/disk/cloud/azure_resource';
const isResource = { rule: 'REQ-090', says: 'is the resource disk, whose content is lost by nature' };
const isSwap = { rule: 'REQ-090', says: 'is swap space' };

/** Azure's udev rule names the temporary disk. */
async function linkTemporary(): Promise<void> {
  mkdirSync('/dev/disk/cloud', { recursive: true });
  symlinkSync('/dev/ubdb', temporaryLink);
}

/** What begins empty, or is lost with each boot. */
export const freshLayouts: readonly Layout[] = [
  {
    name: 'blank disk, formatted (header on the disk)',
    disksMiB: [160],
    make: async () => {},
    blank: { mountPoint: '/srv/data0', fileSystem: 'ext4' },
    places: [{ device: '/dev/ubdb', point: '/srv/data0', type: 'ext4' }],
    plainTargets: ['/dev/ubdb'],
    order: ['encrypt', 'used-only', 'format', 'rotate-passphrase', 'rotate-volume-key', 'grow', 'decrypt'],
    refused: { encrypt: noFileSystem, 'used-only': noFileSystem, ...headerOnDisk },
    inShort: true,
  },
  {
    name: 'swap partition (random key a boot)',
    disksMiB: [260],
    make: async () => {
      await partition('/dev/ubdb', 'gpt', 'size=160M', 'size=64M');
      await sh(`${mkfs.ext4} /dev/ubdb1`, 'mkswap -q /dev/ubdb2');
    },
    places: [],
    swaps: ['/dev/ubdb2'],
    refused: { ...keyOfBoot, 'used-only': isSwap, format: isSwap },
  },
  {
    name: 'temporary disk (random key a boot)',
    disksMiB: [160],
    make: async () => {
      await linkTemporary();
      await sh(`${mkfs.ext4} /dev/ubdb`);
    },
    assemble: linkTemporary,
    places: [
      {
        device: temporaryLink,
        point: '/mnt/resource',
        type: 'ext4',
        options: 'defaults,nofail,x-systemd.requires=cloud-init.service,_netdev,comment=cloudconfig',
      },
    ],
    refused: { ...keyOfBoot, 'used-only': isResource, format: isResource },
    isTemporary: true,
  },
];
