import type { BlockDevice, GuestFacts, PhysicalVolumeFact, Volume, VolumeGroupFact } from '../facts/model.ts';
import { deviceByName, mountsOf } from './devices.ts';
import { volumeOf } from './targets.ts';

/** A physical volume of LVM, by what is written on it. */
export function isPhysicalVolume(device: BlockDevice): boolean {
  return device.signature?.type === 'LVM2_member';
}

export function physicalVolumeOn(
  facts: Pick<GuestFacts, 'physicalVolumes'>,
  device: BlockDevice,
): PhysicalVolumeFact | undefined {
  return facts.physicalVolumes.find((one) => one.device === device.kernelName);
}

/** Devices of the physical volumes of a group that are there. */
export function membersOf(facts: GuestFacts, { uuid }: VolumeGroupFact): readonly BlockDevice[] {
  return facts.physicalVolumes
    .filter(({ group }) => group?.uuid === uuid)
    .flatMap(({ device }) => deviceByName(facts, device) ?? []);
}

/** Everything that lies on the physical volumes of a group: logical volumes, and what was made of them. */
export function aboveGroup(facts: GuestFacts, group: VolumeGroupFact): readonly BlockDevice[] {
  const found = new Set<BlockDevice>();
  const visit = (kernelName: string): void => {
    const device = deviceByName(facts, kernelName);
    if (device === undefined || found.has(device)) return;
    found.add(device);
    for (const child of device.children) visit(child);
  };
  const members = membersOf(facts, group);
  for (const child of members.flatMap(({ children }) => children)) visit(child);
  return [...found];
}

/** The logical volumes of the group that are mounted, outer mount points first. */
export function mountedInGroup(facts: GuestFacts, group: VolumeGroupFact): readonly Volume[] {
  const mounted = aboveGroup(facts, group).filter((device) => mountsOf(facts, device).length > 0);
  return mounted
    .map((device) => volumeOf(facts, device))
    .sort((one, other) => (one.mount?.point.length ?? 0) - (other.mount?.point.length ?? 0));
}
