import { KannukiError } from '@kannuki/core';
import { deviceOfMount } from '../targets/devices.ts';
import { readBlockDevices } from './block-devices.ts';
import { readCryptsetup } from './cryptsetup-version.ts';
import { readMemory } from './memory.ts';
import type { BlockDevice, GuestFacts, MountFact } from './model.ts';
import { readModules } from './modules.ts';
import { readMounts } from './mount-table.ts';
import { readOpenFiles } from './open-files.ts';
import { readOperatingSystem } from './operating-system.ts';
import { readPhysicalVolumes } from './physical-volumes.ts';
import { type FactSources, readText, thisMachine } from './sources.ts';
import { readSpaces } from './spaces.ts';
import { readLoops, readSwaps } from './swaps-and-loops.ts';
import { readCrypttab, readFstab } from './tables.ts';

/**
 * Everything that the checks need to know of this machine; changes nothing. Takes some 10 ms a device and some 100 ms for
 * the processes.
 * @throws KannukiError KNK-VOL-0102 without root, KNK-VOL-0101 when a program answers what nobody expects
 */
export async function readGuestFacts(sources: FactSources = thisMachine): Promise<GuestFacts> {
  if (sources.root === '/' && process.geteuid?.() !== 0) {
    throw new KannukiError('KNK-VOL-0102', { details: { path: '/dev' } });
  }
  const devices = await readBlockDevices(sources);
  const mounts = await readMounts(sources);
  return {
    operatingSystem: await readOperatingSystem(sources),
    memory: await readMemory(sources),
    devices,
    physicalVolumes: await readPhysicalVolumes(sources, devices),
    lvmUsesDevicesFile: (await readText(sources, '/etc/lvm/devices/system.devices')) !== undefined,
    mounts,
    swaps: await readSwaps(sources),
    loops: await readLoops(sources),
    fstab: await readFstab(sources, devices),
    crypttab: await readCrypttab(sources),
    modules: await readModules(sources),
    spaces: await readSpaces(sources, mounts),
    cryptsetup: await readCryptsetup(sources),
    ...(await readOpenFiles(sources, dataNumbers(devices, mounts))),
  };
}

/** Every process has files of the OS open: who they are says nothing. */
const ofEveryone = new Set(['/', '/usr', '/boot', '/boot/efi']);

function dataNumbers(devices: readonly BlockDevice[], mounts: readonly MountFact[]): ReadonlySet<string> {
  const numbers = new Set(devices.map(({ number }) => number));
  // Mounts of btrfs have device numbers of their own.
  for (const mount of mounts) if (deviceOfMount({ devices }, mount) !== undefined) numbers.add(mount.number);
  for (const { number, point } of mounts) if (ofEveryone.has(point)) numbers.delete(number);
  return numbers;
}
