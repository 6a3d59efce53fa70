import { dataDiskDevice, dataDiskId, dataDiskNode } from '../qemu/devices.ts';
import { type QmpClient, waitForEvent } from '../qemu/qmp.ts';

const unplugSeconds = 20;

/** Shows a data disk to a machine that runs. */
export async function plugDataDisk(monitor: QmpClient, serial: string, lun: number): Promise<void> {
  await monitor.execute('blockdev-add', dataDiskNode(serial));
  try {
    await monitor.execute('device_add', dataDiskDevice(serial, lun));
  } catch (error) {
    await monitor.execute('blockdev-del', { 'node-name': dataDiskId(serial) });
    throw error;
  }
}

/** Takes a data disk away from a machine that runs; what the VM has not flushed is lost, as with a real cable. */
export async function unplugDataDisk(monitor: QmpClient, serial: string): Promise<void> {
  const id = dataDiskId(serial);
  await unplugDevice(monitor, id);
  await monitor.execute('blockdev-del', { 'node-name': id });
}

/** Removes a device and waits until QEMU has let go of it. */
export async function unplugDevice(monitor: QmpClient, id: string): Promise<void> {
  const gone = waitForEvent(
    monitor,
    ({ event, data }) => event === 'DEVICE_DELETED' && data.device === id,
    unplugSeconds,
    'device_del',
  );
  // When the command itself fails, that is thrown, and nobody listens to this wait any more.
  gone.catch(() => undefined);
  await monitor.execute('device_del', { id });
  await gone;
}
