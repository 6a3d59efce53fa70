import type { ExpectedRefusals } from './layout.ts';

/** Only ext file systems are made small for the used space only. */
export function cannotShrink(type: string): ExpectedRefusals {
  return { 'used-only': { rule: 'REQ-091', says: `${type} cannot be shrunk` } };
}

/** The lab's kernel has the old ext2 driver, as kernels that some distributions build have it. */
export const oldDriver: ExpectedRefusals = {
  'used-only': { rule: 'REQ-091', says: "mounted by the kernel's old ext2 driver" },
  grow: { rule: 'REQ-255', says: "mounted by the kernel's old ext2 driver" },
};

/** btrfs is neither shrunk nor made anew. */
export const keepsBtrfs: ExpectedRefusals = {
  'used-only': { rule: 'REQ-091', says: 'btrfs could be shrunk while it is mounted, but Kannuki does not do that yet' },
  format: { rule: 'REQ-246', says: '--format makes ext2, ext3, ext4 and XFS anew' },
};

/** The header would have to go, and all data to move over it. */
export const headerOnDisk: ExpectedRefusals = {
  decrypt: { rule: 'REQ-214', says: 'the volume was formatted with its header on the disk' },
};

/** Swap space and the temporary disk: nobody has a key that could be changed. */
export const keyOfBoot: ExpectedRefusals = {
  grow: { rule: 'REQ-255', says: 'the volume has a new random key at each boot' },
  'rotate-passphrase': { rule: 'ROTATE-RANDOM', says: 'the volume has a new random key at each boot' },
  'rotate-volume-key': { rule: 'ROTATE-RANDOM', says: 'the volume has a new random key at each boot' },
};

/** As soon as the entries are back LVM or md would see the raw disk. */
export const carriesDevices: ExpectedRefusals = {
  decrypt: { rule: 'REQ-214', says: 'other devices lie on the volume (LVM, RAID)' },
};
