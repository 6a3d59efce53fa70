import { readDeviceLinks } from './device-links.ts';
import { readFileSystem } from './file-system.ts';
import type { BlockDevice } from './model.ts';
import { probe } from './signature.ts';
import { type FactSources, isAbsence, permissionError, rooted, runForJson } from './sources.ts';

/** What lsblk(8) knows of a device without looking into it. */
type Listed = Omit<BlockDevice, 'children' | 'links' | 'signature' | 'fileSystem'>;

/** NAME is what makes lsblk print a tree: without it the reply is flat, and nobody knows what lies on what. */
const columns = [
  'NAME',
  'KNAME',
  'PATH',
  'MAJ:MIN',
  'TYPE',
  'SIZE',
  'RO',
  'RM',
  'SERIAL',
  'MODEL',
  'PARTUUID',
  'PARTLABEL',
  'PARTTYPE',
  'LOG-SEC',
  'PHY-SEC',
  'DISC-GRAN',
].join(',');

/** Optical drives may be empty and slow; network block devices without a size are not connected. */
const neverProbed = new Set(['rom']);
const knownFileSystems = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']);
const deviceLimit = 10_000;

/** Every block device that has a size, each once, with what its first bytes say. */
export async function readBlockDevices(sources: FactSources): Promise<readonly BlockDevice[]> {
  const args = ['--json', '--bytes', '--output', columns];
  const listed = await runForJson(sources, 'lsblk', args, readListing);
  const links = await readDeviceLinks(sources);
  const devices: BlockDevice[] = [];
  for (const device of listed) {
    devices.push(await lookInto(sources, device, listed, links.get(device.kernelName) ?? []));
  }
  return devices;
}

async function lookInto(
  sources: FactSources,
  device: Listed,
  all: readonly Listed[],
  links: readonly string[],
): Promise<BlockDevice> {
  const children = all.filter(({ parents }) => parents.includes(device.kernelName)).map(({ kernelName }) => kernelName);
  const plain = { ...device, children, links };
  if (neverProbed.has(device.type)) return { ...plain, signature: null, fileSystem: null };
  const { signature, partitionUuid, partitionLabel, partitionType } = await probe(sources.run, device.path);
  const hasFileSystem = signature?.usage === 'filesystem' && knownFileSystems.has(signature.type);
  return {
    ...plain,
    partitionUuid: device.partitionUuid ?? partitionUuid,
    partitionLabel: device.partitionLabel ?? partitionLabel,
    partitionType: device.partitionType ?? partitionType,
    signature,
    fileSystem: hasFileSystem ? await fileSystemOf(rooted(sources, device.path)) : null,
  };
}

async function fileSystemOf(path: string): ReturnType<typeof readFileSystem> {
  try {
    return await readFileSystem(path);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw permissionError(error, path);
  }
}

/** Takes the tree that lsblk answers apart: a device on top of several (RAID) is in it several times. */
function readListing(reply: unknown): readonly Listed[] {
  const found = new Map<string, Listed>();
  const visit = (nodes: unknown, parent: string | undefined): void => {
    if (!Array.isArray(nodes)) throw new Error('no list of devices');
    for (const node of nodes as readonly unknown[]) {
      if (found.size >= deviceLimit) throw new Error('too many devices');
      const device = readDevice(node);
      const known = found.get(device.kernelName);
      const parents = parent === undefined ? [] : [parent];
      found.set(device.kernelName, { ...device, parents: [...new Set([...(known?.parents ?? []), ...parents])] });
      const below = (node as { children?: unknown }).children;
      if (below !== undefined) visit(below, device.kernelName);
    }
  };
  visit((reply as { blockdevices?: unknown } | null)?.blockdevices, undefined);
  return [...found.values()].filter(({ sizeBytes }) => sizeBytes > 0);
}

function readDevice(node: unknown): Listed {
  const fields = node as Readonly<Record<string, unknown>>;
  return {
    kernelName: text(fields, 'kname'),
    path: text(fields, 'path'),
    number: text(fields, 'maj:min').trim(),
    type: text(fields, 'type'),
    sizeBytes: size(fields, 'size'),
    readOnly: flag(fields, 'ro'),
    removable: flag(fields, 'rm'),
    parents: [],
    logicalSectorBytes: size(fields, 'log-sec'),
    physicalSectorBytes: size(fields, 'phy-sec'),
    discardBytes: size(fields, 'disc-gran'),
    serial: optionalText(fields, 'serial'),
    model: optionalText(fields, 'model'),
    partitionUuid: optionalText(fields, 'partuuid'),
    partitionLabel: optionalText(fields, 'partlabel'),
    partitionType: optionalText(fields, 'parttype'),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is no text`);
  return value;
}

function optionalText(fields: Fields, name: string): string | null {
  const value = fields[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/** Numbers and flags were strings in the JSON of util-linux before 2.33 and 2.37. */
function size(fields: Fields, name: string): number {
  const value = fields[name] ?? 0;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) throw new Error(`${name} is no size`);
  return number;
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name];
  return value === true || value === '1' || value === 1;
}
