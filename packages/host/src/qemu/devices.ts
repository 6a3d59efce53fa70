import { dataDiskFile, machineFiles } from '../machine-store.ts';

/** Properties of a device or block node as QEMU's `-device`, `-blockdev` and QMP take them, in JSON. */
export type Properties = Readonly<Record<string, unknown>>;

/** Data disks and the key volume are units of this controller, so that they can come and go while the machine runs. */
export const dataController: Properties = { driver: 'virtio-scsi-pci', id: 'data' };

/**
 * Written through the host's page cache and flushed to the disk when the VM flushes: fast, and as durable as the VM asks
 * for. Discarded blocks become holes.
 */
const cache = { direct: false, 'no-flush': false };

export const osDiskNode: Properties = {
  driver: 'qcow2',
  'node-name': 'os',
  discard: 'unmap',
  cache,
  file: { driver: 'file', filename: machineFiles.osDisk, discard: 'unmap', cache },
};

export const osDiskDevice: Properties = {
  driver: 'virtio-blk-pci',
  id: 'os',
  drive: 'os',
  bootindex: 0,
  serial: 'kannuki-os',
};

export function dataDiskId(serial: string): string {
  return `data-${serial}`;
}

export function dataDiskNode(serial: string): Properties {
  return {
    driver: 'raw',
    'node-name': dataDiskId(serial),
    discard: 'unmap',
    cache,
    file: { driver: 'file', filename: dataDiskFile(serial), discard: 'unmap', cache },
  };
}

/** Sectors as Azure's disks have them: 512 bytes to address, 4096 to write. */
export function dataDiskDevice(serial: string, lun: number): Properties {
  return {
    driver: 'scsi-hd',
    id: dataDiskId(serial),
    drive: dataDiskId(serial),
    bus: 'data.0',
    channel: 0,
    'scsi-id': 0,
    lun,
    serial,
    device_id: serial,
    logical_block_size: 512,
    physical_block_size: 4096,
  };
}
