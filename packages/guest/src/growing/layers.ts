import type { BlockDevice, GuestFacts, MountFact } from '../facts/model.ts';
import { deviceByName, mountsOf, withParents } from '../targets/devices.ts';
import { isPhysicalVolume, membersOf, physicalVolumeOn } from '../targets/volume-groups.ts';
import type { Journal } from '../volumes/journal.ts';

/** One thing that has a size of its own, between a disk and the files on it. */
export type Layer =
  | { readonly kind: 'disk'; readonly device: BlockDevice }
  | { readonly kind: 'partition'; readonly device: BlockDevice; readonly disk: BlockDevice }
  | { readonly kind: 'array'; readonly device: BlockDevice }
  | MappingLayer
  | { readonly kind: 'physical-volume'; readonly device: BlockDevice }
  | { readonly kind: 'logical-volume'; readonly device: BlockDevice }
  | FileSystemLayer
  /** What the stack ends with, or has in the middle, and nothing here knows how to grow. */
  | { readonly kind: 'unknown'; readonly device: BlockDevice };

/** A dm-crypt mapping; without a journal it is somebody else's. */
export interface MappingLayer {
  readonly kind: 'mapping';
  readonly device: BlockDevice;
  readonly below: BlockDevice;
  readonly journal: Journal | undefined;
}

export interface FileSystemLayer {
  readonly kind: 'file-system';
  readonly device: BlockDevice;
  readonly type: string;
  /** Where it can be reached; null when it is not mounted. */
  readonly mount: MountFact | null;
}

/**
 * Everything that has to grow for what a device belongs to, from the disks up. What lies below a volume in use is told by the
 * kernel and not by names, so that no other disk can be taken for one of it.
 * @param journals of the volumes of Kannuki
 */
export function layersOf(facts: GuestFacts, device: BlockDevice, journals: readonly Journal[]): readonly Layer[] {
  const layers: Layer[] = [];
  const add = (layer: Layer): void => {
    const isThere = layers.some((one) => one.kind === layer.kind && one.device === layer.device);
    if (!isThere) layers.push(layer);
  };
  const addStack = (one: BlockDevice): void => {
    const below = one.type === 'lvm' ? groupBelow(facts, one) : parentsOf(facts, one);
    for (const parent of below) addStack(parent);
    if (one.type === 'lvm') for (const member of below) add({ kind: 'physical-volume', device: member });
    add(layerOf(facts, one, journals));
  };
  const top = topOf(facts, device);
  for (const one of devicesOfFileSystem(facts, top)) {
    addStack(one);
    add(contentOf(facts, one, devicesOfFileSystem(facts, top)));
  }
  return layers;
}

/** Whoever names a disk means what is on it, as far as that is one thing. */
function topOf(facts: GuestFacts, device: BlockDevice): BlockDevice {
  const [child, ...others] = device.children.flatMap((name) => deviceByName(facts, name) ?? []);
  return child === undefined || others.length > 0 || child.type === 'lvm' ? device : topOf(facts, child);
}

/** A btrfs may lie on several devices, each with a part of it. */
function devicesOfFileSystem(facts: GuestFacts, device: BlockDevice): readonly BlockDevice[] {
  const { signature } = device;
  if (signature?.type !== 'btrfs' || signature.uuid === null) return [device];
  return facts.devices.filter((one) => one.signature?.type === 'btrfs' && one.signature.uuid === signature.uuid);
}

function parentsOf(facts: GuestFacts, device: BlockDevice): readonly BlockDevice[] {
  return device.parents.flatMap((name) => deviceByName(facts, name) ?? []);
}

/** All physical volumes of the group of a logical volume: it gets what is free in the group. */
function groupBelow(facts: GuestFacts, volume: BlockDevice): readonly BlockDevice[] {
  for (const below of withParents(facts, volume)) {
    const group = physicalVolumeOn(facts, below)?.group;
    if (group !== undefined && group !== null) return membersOf(facts, group);
  }
  return parentsOf(facts, volume);
}

const arrayTypes = /^(?:raid\d+|linear|md)$/;

function layerOf(facts: GuestFacts, device: BlockDevice, journals: readonly Journal[]): Layer {
  const [parent, ...others] = parentsOf(facts, device);
  if (parent === undefined) return { kind: 'disk', device };
  if (arrayTypes.test(device.type)) return { kind: 'array', device };
  if (device.type === 'lvm') return { kind: 'logical-volume', device };
  if (others.length > 0) return { kind: 'unknown', device };
  // kpartx(8) makes mappings of partitions, of which the kernel's table knows nothing.
  if (device.type === 'part' && !isMapped(device)) return { kind: 'partition', device, disk: parent };
  if (device.type !== 'crypt') return { kind: 'unknown', device };
  const journal = journals.find(({ name }) => device.path === `/dev/mapper/${name}`);
  return { kind: 'mapping', device, below: parent, journal };
}

function isMapped({ kernelName }: BlockDevice): boolean {
  return kernelName.startsWith('dm-');
}

const growing = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']);

/** What lies on the topmost device. */
function contentOf(facts: GuestFacts, device: BlockDevice, all: readonly BlockDevice[]): Layer {
  const type = device.signature?.type ?? '';
  if (isPhysicalVolume(device)) return { kind: 'physical-volume', device };
  if (device.children.length > 0 || !growing.has(type)) return { kind: 'unknown', device };
  const mounts = all.flatMap((one) => mountsOf(facts, one));
  const mount = mounts.find(({ options }) => options.includes('rw')) ?? mounts[0] ?? null;
  return { kind: 'file-system', device, type, mount };
}
