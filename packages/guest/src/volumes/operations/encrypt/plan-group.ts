import type { BlockDevice, GuestFacts, PhysicalVolumeFact, VolumeGroupFact } from '../../../facts/model.ts';
import { lastingName, mountsOf } from '../../../targets/devices.ts';
import { aboveGroup, mountedInGroup, physicalVolumeOn } from '../../../targets/volume-groups.ts';
import type { LogicalMount, PhysicalVolumeUse } from '../../uses/physical-volume.ts';
import { volumeName } from '../../volume-name.ts';

export interface PlannedGroup {
  readonly name: string;
  readonly use: PhysicalVolumeUse;
  readonly sectorSize: 512 | 4096;
}

/** A physical volume as a volume to encrypt; undefined for what the checks refuse anyhow. */
export function planGroup(facts: GuestFacts, device: BlockDevice): PlannedGroup | undefined {
  const physical = physicalVolumeOn(facts, device);
  const rawDevice = lastingName(device);
  if (physical === undefined || physical.group === null || rawDevice === null) return undefined;
  const { group, uuid } = physical;
  const use: PhysicalVolumeUse = {
    kind: 'physical-volume',
    uuid,
    group: { name: group.name, uuid: group.uuid },
    mounts: logicalMounts(facts, group),
    swaps: swapsOf(facts, group),
    rawDevice,
  };
  // The group may have many of them: a piece of the id tells them apart, as LVM itself abbreviates it.
  const name = volumeName(`/pv/${group.name}/${uuid.slice(0, 6)}`);
  return { name, use, sectorSize: sectorSizeFor(facts, device, physical, group) };
}

function logicalMounts(facts: GuestFacts, group: VolumeGroupFact): readonly LogicalMount[] {
  return mountedInGroup(facts, group).flatMap(({ device, mount, fstab }) => {
    const { signature } = device;
    if (mount === null || signature === null || fstab === null || fstab.entry === null) return [];
    return [
      {
        device: device.path,
        fileSystem: { type: signature.type, uuid: signature.uuid ?? '' },
        point: mount.point,
        options: fstab.entry.options.join(','),
      },
    ];
  });
}

function swapsOf(facts: GuestFacts, group: VolumeGroupFact): readonly string[] {
  const active = new Set(facts.swaps.map(({ path }) => path));
  return aboveGroup(facts, group)
    .filter(({ path, kernelName }) => active.has(path) || active.has(`/dev/${kernelName}`))
    .map(({ path }) => path);
}

/**
 * 4096 only where all that lies on the physical volume is known to fit: one disk in the group (LVM does not mix block sizes),
 * extents at whole pieces of it, and every logical volume in use with a file system or swap space that needs no smaller sectors.
 */
function sectorSizeFor(
  facts: GuestFacts,
  { sizeBytes }: BlockDevice,
  { startBytes }: PhysicalVolumeFact,
  group: VolumeGroupFact,
): 512 | 4096 {
  const { extentBytes, physicalVolumeCount, logicalVolumeCount } = group;
  const above = aboveGroup(facts, group).filter(({ children }) => children.length === 0);
  const fits =
    physicalVolumeCount === 1 &&
    above.length === logicalVolumeCount &&
    [sizeBytes, startBytes, extentBytes].every((bytes) => bytes % 4096 === 0) &&
    above.every((device) => fitsInside(facts, device));
  return fits ? 4096 : 512;
}

function fitsInside(facts: GuestFacts, device: BlockDevice): boolean {
  if (device.signature?.type === 'swap') return true;
  return mountsOf(facts, device).length > 0 && device.fileSystem !== null && device.fileSystem.sectorBytes % 4096 === 0;
}
