import type { BlockDevice, GuestFacts, MountFact } from '../facts/model.ts';

type Devices = Pick<GuestFacts, 'devices'>;

export function deviceByName(facts: Devices, kernelName: string): BlockDevice | undefined {
  return facts.devices.find((device) => device.kernelName === kernelName);
}

/** The device below a mount; btrfs shows a device number of its own there, so that its source has to do. */
export function deviceOfMount(facts: Devices, mount: MountFact): BlockDevice | undefined {
  return (
    facts.devices.find(({ number }) => number === mount.number) ??
    facts.devices.find(({ path, links }) => path === mount.source || links.includes(mount.source))
  );
}

/** Mounts of a device's file system, bind mounts included, in the kernel's order. */
export function mountsOf(facts: Pick<GuestFacts, 'devices' | 'mounts'>, device: BlockDevice): readonly MountFact[] {
  return facts.mounts.filter((mount) => deviceOfMount(facts, mount) === device);
}

/** The device itself and all that it lies on, down to the disks. */
export function withParents(facts: Devices, device: BlockDevice): readonly BlockDevice[] {
  const found = new Set<BlockDevice>();
  const visit = (one: BlockDevice): void => {
    if (found.has(one)) return;
    found.add(one);
    for (const parent of one.parents) {
      const below = deviceByName(facts, parent);
      if (below !== undefined) visit(below);
    }
  };
  visit(device);
  return [...found];
}

/** The disks at the bottom of a device; several for RAID and LVM. */
export function disksOf(facts: Devices, device: BlockDevice): readonly BlockDevice[] {
  return withParents(facts, device).filter(({ parents }) => parents.length === 0);
}

/** Where the boot comes from: the disks below these are OS disks. */
const bootPoints = new Set(['/', '/boot', '/boot/efi']);

/** Kernel names of the OS disks; none where `/` lies on no block device (containers, lab machines). */
export function osDisks(facts: Pick<GuestFacts, 'devices' | 'mounts'>): ReadonlySet<string> {
  const roots = facts.mounts.filter(({ point }) => bootPoints.has(point));
  const devices = roots.flatMap((mount) => deviceOfMount(facts, mount) ?? []);
  return new Set(devices.flatMap((device) => disksOf(facts, device)).map(({ kernelName }) => kernelName));
}

export function isOnOsDisk(facts: Pick<GuestFacts, 'devices' | 'mounts'>, device: BlockDevice): boolean {
  const names = osDisks(facts);
  return disksOf(facts, device).some(({ kernelName }) => names.has(kernelName));
}

/** Azure's udev rules name the disk whose content is lost by nature; REQ-099. */
const resourceLink = /^\/dev\/disk\/(?:azure\/resource|cloud\/azure_resource)/;

export function isResourceDisk(facts: Devices, device: BlockDevice): boolean {
  return withParents(facts, device).some(({ links }) => links.some((link) => resourceLink.test(link)));
}

/** The volume on which the host hands over keys; REQ-097. */
export function isKeyVolume(device: BlockDevice): boolean {
  return device.signature?.type === 'vfat' && device.signature.label === 'BEK VOLUME';
}

/** Names that follow from what is on the device: gone once it is encrypted. */
const contentLink = /^\/dev\/disk\/(?:by-uuid|by-label|by-id\/lvm-pv-uuid-)/;
/** Best first: by what the device is, by the partition table, by where it is plugged in. */
const lastingLinks = [
  /^\/dev\/disk\/by-id\/(?!dm-name-|md-name-)/,
  /^\/dev\/disk\/by-partuuid\//,
  /^\/dev\/disk\/azure\//,
  /^\/dev\/disk\/cloud\//,
  /^\/dev\/disk\/by-path\//,
  // The name that is written on the array itself; `127` and the like are what the kernel had left.
  /^\/dev\/md\/(?!\d+(?:_\d+)?$)/,
];

/**
 * A name that leads to the device after a reboot and after its encryption; null where udev gives none. A device without
 * one can be known again only by its kernel name, size and serial number.
 */
export function lastingName(device: BlockDevice): string | null {
  if (device.path.startsWith('/dev/mapper/')) return device.path;
  const links = device.links.filter((link) => !contentLink.test(link));
  for (const pattern of lastingLinks) {
    const link = links.find((one) => pattern.test(one));
    if (link !== undefined) return link;
  }
  return null;
}
