import { closeSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import { unplugDevice } from '../disks/hot-plug.ts';
import type { QmpClient } from '../qemu/qmp.ts';
import { fillMemoryFile, wipeMemoryFile } from './memory-file.ts';

/**
 * The key volume of a running machine lives in one unnamed file in RAM that its QEMU process has open from its start,
 * always under this descriptor. So it can be filled, emptied and wiped at any time, also by a server that was started
 * anew, and nothing is left of it when QEMU ends, however it ends.
 */
export const keyVolumeDescriptor = 3;

/** Serial number of the volume: `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_kannuki-key` in the VM. */
export const keyVolumeSerial = 'kannuki-key';

const node = 'key-volume';
const sectorBytes = 512;
/** A vfat volume with one file of 172 bytes; the bound is for mistakes of callers. */
const limitBytes = 64 * 1024 * 1024;

/** @returns the names of the volume's parts that are attached now, device first */
export async function keyVolumeState(monitor: QmpClient): Promise<'attached' | 'detached'> {
  return (await hasDevice(monitor)) || (await hasNode(monitor)) ? 'attached' : 'detached';
}

/** Hot-plugs the volume, read-only. The machine may be running, paused or not yet started. */
export async function attachKeyVolume(
  monitor: QmpClient,
  name: string,
  pid: number,
  image: SecretBytes,
): Promise<void> {
  if (image.length === 0 || image.length % sectorBytes !== 0 || image.length > limitBytes) {
    throw new KannukiError('KNK-HST-0011', {
      details: { field: 'keyVolume', detail: `${image.length} bytes are not whole sectors of a small volume` },
    });
  }
  if ((await keyVolumeState(monitor)) === 'attached') throw new KannukiError('KNK-HST-0013', { details: { name } });
  withMemory(pid, (descriptor) => fillMemoryFile(descriptor, image.bytes));
  try {
    await monitor.execute('blockdev-add', {
      driver: 'raw',
      'node-name': node,
      'read-only': true,
      file: { driver: 'file', filename: `/proc/self/fd/${keyVolumeDescriptor}`, 'read-only': true, locking: 'off' },
    });
    await monitor.execute('device_add', {
      driver: 'scsi-hd',
      id: node,
      drive: node,
      bus: 'data.0',
      channel: 0,
      'scsi-id': 1,
      lun: 0,
      serial: keyVolumeSerial,
      device_id: keyVolumeSerial,
    });
  } catch (error) {
    await detachKeyVolume(monitor, pid);
    throw error;
  }
}

/** Takes the volume out and overwrites its bytes; does what is left to do where only a part is there. */
export async function detachKeyVolume(monitor: QmpClient, pid: number): Promise<void> {
  if (await hasDevice(monitor)) await unplugDevice(monitor, node);
  if (await hasNode(monitor)) await monitor.execute('blockdev-del', { 'node-name': node });
  wipeKeyVolume(pid);
}

/** Overwrites the bytes; a machine that still has the volume attached then reads zeroes or nothing. */
export function wipeKeyVolume(pid: number): void {
  withMemory(pid, (descriptor) => wipeMemoryFile(descriptor, fstatSync(descriptor).size));
}

function withMemory(pid: number, action: (descriptor: number) => void): void {
  const path = `/proc/${pid}/fd/${keyVolumeDescriptor}`;
  // Never write anywhere else, whatever that process has there.
  if (!/^\/dev\/shm\/#\d+ \(deleted\)$/.test(readlinkSync(path))) {
    throw new KannukiError('KNK-HST-0012', { details: { detail: `process ${pid} has no memory for it` } });
  }
  const descriptor = openSync(path, 'r+');
  try {
    action(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function hasDevice(monitor: QmpClient): Promise<boolean> {
  const devices = await monitor.execute('qom-list', { path: '/machine/peripheral' });
  return Array.isArray(devices) && devices.some((device: { name?: unknown }) => device.name === node);
}

async function hasNode(monitor: QmpClient): Promise<boolean> {
  const nodes = await monitor.execute('query-named-block-nodes', { flat: true });
  return Array.isArray(nodes) && nodes.some((entry: { 'node-name'?: unknown }) => entry['node-name'] === node);
}
