import type { BlockDevice, GuestFacts, VolumeGroupFact } from '../../../facts/model.ts';
import { lastingName } from '../../../targets/devices.ts';
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
  return { name, use, sectorSize: sectorSizeFor(device) };
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
 * The group stays active through the conversion, and its logical volumes keep the block size that the mapping had when they were activated: over a
 * plain disk of 512 bytes. Once the mapping has sectors of 4096, an ext4 that is mounted later reads its superblock in pieces of 1024 bytes, and
 * fails. So a physical volume keeps the sectors that its disk has.
 */
function sectorSizeFor({ logicalSectorBytes }: BlockDevice): 512 | 4096 {
  return logicalSectorBytes === 4096 ? 4096 : 512;
}
