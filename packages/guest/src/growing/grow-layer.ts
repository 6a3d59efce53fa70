import { statfs } from 'node:fs/promises';
import { KannukiError, type Run } from '@kannuki/core';
import type { BlockDevice } from '../facts/model.ts';
import { extendOverFree, logicalVolumeAt, physicalVolumeBytes, resizePhysicalVolume } from '../volumes/lvm.ts';
import { growToDevice } from '../volumes/operations/used-only/ext-tools.ts';
import { btrfsDeviceNumber } from './btrfs-device.ts';
import { deviceBytes } from './details.ts';
import { growMapping, type MappingParts } from './grow-mapping.ts';
import { growPartitionOf } from './grow-partition.ts';
import type { FileSystemLayer, Layer } from './layers.ts';

/** What growing works with. */
export interface GrowthParts extends MappingParts {
  readonly run: Run;
}

/** A resize of a large file system writes to all of it. */
const maximumSeconds = 24 * 3600;

/** How large a layer is at this moment; of a file system: what it offers for files. */
export async function layerBytes(layer: Layer, { run }: GrowthParts): Promise<number> {
  if (layer.kind === 'physical-volume') return await physicalVolumeBytes(run, layer.device.path);
  if (layer.kind !== 'file-system' || layer.mount === null) return await deviceBytes(layer.device.kernelName);
  const { blocks, bsize } = await statfs(layer.mount.point);
  return blocks * bsize;
}

/**
 * Takes one layer to the size that the one below has. Done again it does nothing, and a power cut leaves the old size or the new
 * one: so the whole needs no record of how far it is.
 */
export async function growLayer(layer: Layer, parts: GrowthParts): Promise<void> {
  switch (layer.kind) {
    case 'disk':
      return;
    case 'partition':
      return await growPartitionOf(layer.device, layer.disk, parts.run);
    case 'array':
      return await growArray(layer.device, parts.run);
    case 'mapping':
      return await growMapping(layer, parts);
    case 'physical-volume':
      return await resizePhysicalVolume(parts.run, layer.device.path);
    case 'logical-volume':
      return await growLogicalVolume(layer.device, parts.run);
    case 'file-system':
      return await growFileSystem(layer, parts);
    case 'unknown':
      throw new Error(`${layer.device.path} was not refused`);
  }
}

/** Its bitmap and its checksums of the new part are the kernel's; it syncs in the background. */
async function growArray({ path }: BlockDevice, run: Run): Promise<void> {
  await run('mdadm', ['--grow', path, '--size=max'], { timeoutSeconds: maximumSeconds });
}

async function growLogicalVolume({ path }: BlockDevice, run: Run): Promise<void> {
  const volume = await logicalVolumeAt(run, path);
  if (volume.freeBytes > 0) await extendOverFree(run, volume);
}

/** All three do it in a transaction of their journal, and have nothing to do the second time. */
async function growFileSystem({ device, type, mount }: FileSystemLayer, { run, lock }: GrowthParts): Promise<void> {
  if (mount === null) throw new KannukiError('KNK-VOL-0100', { details: { target: device.path } });
  const more = { timeoutSeconds: maximumSeconds, ...(lock === null ? {} : { descriptors: [lock] }) };
  if (type === 'xfs') {
    await run('xfs_growfs', ['-d', mount.point], more);
  } else if (type === 'btrfs') {
    const number = await btrfsDeviceNumber(device.path);
    await run('btrfs', ['filesystem', 'resize', `${number}:max`, mount.point], more);
  } else {
    await growToDevice(run, device.path, lock);
  }
}
