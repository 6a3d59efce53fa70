import { realpath } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import type { VolumeType } from '@kannuki/support';
import type { BlockDevice, FstabFact, GuestFacts, MountFact, Volume } from '../facts/model.ts';
import { type FactSources, isAbsence, rooted, thisMachine } from '../facts/sources.ts';
import { deviceOfSource } from '../facts/tables.ts';
import { deviceByName, deviceOfMount, isKeyVolume, isOnOsDisk, isResourceDisk, mountsOf } from './devices.ts';

/**
 * What the targets of a command line mean: mount points (mounted, or in fstab), device nodes, links below /dev/disk, tags such as
 * `UUID=…`. Each volume once.
 * @throws KannukiError KNK-VOL-0100 when one names nothing, 0103 when its file system lies on no block device
 */
export async function resolveTargets(
  facts: GuestFacts,
  targets: readonly string[],
  sources: Pick<FactSources, 'root'> = thisMachine,
): Promise<readonly Volume[]> {
  const volumes = new Map<string, Volume>();
  for (const target of targets) {
    const volume = await resolveTarget(facts, target, sources);
    if (!volumes.has(volume.device.kernelName)) volumes.set(volume.device.kernelName, volume);
  }
  return [...volumes.values()];
}

async function resolveTarget(facts: GuestFacts, target: string, sources: Pick<FactSources, 'root'>): Promise<Volume> {
  const path = target.startsWith('/') ? target.replace(/(?<=.)\/+$/, '') : target;
  const places = new Set([path, await realPath(sources, path)]);
  const mount = facts.mounts.findLast(({ point, fileSystem }) => places.has(point) && fileSystem !== 'autofs');
  const below = mount === undefined ? undefined : deviceOfMount(facts, mount);
  if (mount !== undefined && below !== undefined) return volumeAt(facts, below, mount);
  const entry = facts.fstab.find((line) => line.entry !== null && places.has(line.entry.realPoint))?.entry;
  // A node below /dev may have something mounted over it (containers do so), and is meant as a device all the same.
  const device = deviceByName(facts, entry?.device ?? '') ?? (await deviceOfSource(sources, path, facts.devices));
  if (device === undefined) {
    if (mount === undefined) throw new KannukiError('KNK-VOL-0100', { details: { target } });
    throw new KannukiError('KNK-VOL-0103', { details: { target, fileSystem: mount.fileSystem } });
  }
  return volumeOf(facts, device);
}

async function realPath(sources: Pick<FactSources, 'root'>, path: string): Promise<string> {
  if (!path.startsWith('/')) return path;
  try {
    const real = await realpath(rooted(sources, path));
    return sources.root === '/' ? real : real.slice(sources.root.length) || '/';
  } catch (error) {
    if (isAbsence(error)) return path;
    throw error;
  }
}

/** The volume on a device: with the mount that fstab tells of, else with its first one. */
export function volumeOf(facts: GuestFacts, device: BlockDevice): Volume {
  const mounts = mountsOf(facts, device);
  const points = new Set(entriesOf(facts, device).map((line) => line.entry?.realPoint));
  return volumeAt(facts, device, mounts.find(({ point }) => points.has(point)) ?? mounts[0]);
}

function volumeAt(facts: GuestFacts, device: BlockDevice, mount: MountFact | undefined): Volume {
  const byPoint = facts.fstab.find(({ entry }) => entry !== null && entry.realPoint === mount?.point);
  return { device, mount: mount ?? null, fstab: byPoint ?? entriesOf(facts, device)[0] ?? null };
}

/** Lines of fstab that name a device now. */
export function entriesOf(facts: Pick<GuestFacts, 'fstab'>, device: BlockDevice): readonly FstabFact[] {
  return facts.fstab.filter(({ entry }) => entry?.device === device.kernelName);
}

/** Not disks for data, whatever is on them. */
const neverVolumes = new Set(['rom', 'loop']);

/**
 * The volumes of a type, each the topmost device of its stack; the key volume and the resource disk are none. Whether each can be
 * encrypted is for the checks to say.
 */
export function volumesOfType(facts: GuestFacts, type: VolumeType): readonly Volume[] {
  const topmost = facts.devices.filter(
    (device) => device.children.length === 0 && !neverVolumes.has(device.type) && !isKeyVolume(device),
  );
  const wanted = topmost.filter((device) => {
    if (isResourceDisk(facts, device)) return false;
    return type === 'ALL' || isOnOsDisk(facts, device) === (type === 'OS');
  });
  return wanted.map((device) => volumeOf(facts, device));
}
