import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '@kannuki/core';
import { liveSegments, type Segment } from '@kannuki/formats';
import { isExt4Driver } from '../facts/ext-driver.ts';
import { isAbsence } from '../facts/sources.ts';
import type { Journal } from '../volumes/journal.ts';
import { type LogicalVolumeFact, logicalVolumeAt } from '../volumes/lvm.ts';
import { headerOf } from '../volumes/operations/rotation-checks.ts';
import type { EnginePaths } from '../volumes/paths.ts';
import type { Layer } from './layers.ts';
import { type PartitionTable, readPartitionTable } from './partition-table.ts';

/** What each layer says of itself, and no general fact of the machine does; by the kernel name of its device. */
export interface LayerDetails {
  /** Of disks that carry partitions of the stack. */
  readonly tables: ReadonlyMap<string, PartitionTable>;
  /** Numbers of partitions in their tables. */
  readonly partitionNumbers: ReadonlyMap<string, number>;
  readonly arrays: ReadonlyMap<string, ArrayFact>;
  readonly logicalVolumes: ReadonlyMap<string, LogicalVolumeFact>;
  /** The parts that the headers of our volumes divide them into. */
  readonly segments: ReadonlyMap<string, readonly Segment[]>;
  /** Ext file systems that are mounted by another driver than ext4, which cannot resize them. */
  readonly withOldDriver: ReadonlySet<string>;
}

/** An array of md(4), as the kernel has it. */
export interface ArrayFact {
  /** raid1, raid10, … */
  readonly level: string;
  /** Of its superblocks: 0.90, 1.0, 1.1, 1.2, or external. */
  readonly metadataVersion: string;
}

export async function readDetails(
  layers: readonly Layer[],
  parts: { run: Run; paths: EnginePaths },
): Promise<LayerDetails> {
  const tables = new Map<string, PartitionTable>();
  const partitionNumbers = new Map<string, number>();
  const arrays = new Map<string, ArrayFact>();
  const logicalVolumes = new Map<string, LogicalVolumeFact>();
  const segments = new Map<string, readonly Segment[]>();
  const withOldDriver = new Set<string>();
  for (const layer of layers) {
    const { kernelName, path } = layer.device;
    if (layer.kind === 'partition') {
      const { disk } = layer;
      if (!tables.has(disk.kernelName)) tables.set(disk.kernelName, await readPartitionTable(disk, parts.run));
      partitionNumbers.set(kernelName, Number(await readSysfs(kernelName, 'partition')));
    }
    if (layer.kind === 'file-system' && /^ext[234]$/.test(layer.type) && !isExt4Driver(kernelName)) {
      withOldDriver.add(kernelName);
    }
    if (layer.kind === 'array') arrays.set(kernelName, await readArray(kernelName));
    if (layer.kind === 'logical-volume') logicalVolumes.set(kernelName, await logicalVolumeAt(parts.run, path));
    if (layer.kind === 'mapping' && layer.journal !== undefined && hasHeader(layer.journal)) {
      const { content } = await headerOf(layer.journal, parts);
      segments.set(
        kernelName,
        liveSegments(content.metadata).map(([, segment]) => segment),
      );
    }
  }
  return { tables, partitionNumbers, arrays, logicalVolumes, segments, withOldDriver };
}

export function hasHeader({ keySource }: Journal): boolean {
  return keySource !== 'random';
}

async function readArray(kernelName: string): Promise<ArrayFact> {
  return {
    level: (await readSysfs(kernelName, 'md/level')) ?? '',
    metadataVersion: (await readSysfs(kernelName, 'md/metadata_version')) ?? '',
  };
}

const sysfs = '/sys/class/block';
const sectorBytes = 512;

/** What the kernel says of a block device; undefined when it says nothing. */
export async function readSysfs(kernelName: string, file: string): Promise<string | undefined> {
  try {
    return (await readFile(join(sysfs, kernelName, file), 'utf8')).trim();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** The size of a block device at this moment. */
export async function deviceBytes(kernelName: string): Promise<number> {
  return Number(await readSysfs(kernelName, 'size')) * sectorBytes;
}
