import { randomBytes } from 'node:crypto';
import { KannukiError } from '@kannuki/core';

/** Azure's rules for Linux VMs and for resource groups. */
const vmName = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$/;
const groupName = /^[-\w.()]{0,89}[-\w()]$/;

/** @throws KannukiError KNK-SRV-0026 */
export function assertVmName(name: string): void {
  if (vmName.test(name)) return;
  const rule = 'it takes 1 to 64 letters, digits, _ . and -, a letter or digit first and no . or - last';
  throw new KannukiError('KNK-SRV-0026', { details: { kind: 'VM', name: name.slice(0, 100), rule } });
}

/** @throws KannukiError KNK-SRV-0026 */
export function assertGroupName(name: string): void {
  if (groupName.test(name)) return;
  const rule = 'it takes 1 to 90 letters, digits, _ - . ( ) and no . last';
  throw new KannukiError('KNK-SRV-0026', { details: { kind: 'resource group', name: name.slice(0, 100), rule } });
}

/** vfat volume id as blkid(8) prints it. Never 0000-0000, which some tools take for none. */
export function newVolumeId(): string {
  const id = randomBytes(4).toString('hex').toUpperCase();
  return id === '00000000' ? newVolumeId() : `${id.slice(0, 4)}-${id.slice(4)}`;
}
