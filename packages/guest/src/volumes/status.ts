import { KannukiError, type Run, type VolumeStatus } from '@kannuki/core';
import { type ReencryptionProgress, readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { readHeaderFile } from './header-file.ts';
import { headerPlace } from './header-place.ts';
import { isFinished, type Journal } from './journal.ts';
import { activeMapping } from './mapping.ts';
import type { PaceFile } from './pace/pace-file.ts';
import type { EnginePaths } from './paths.ts';
import { isEncryptedThroughout, isMapped } from './plans.ts';
import type { ProgressFile } from './progress-file.ts';
import { useOf } from './uses/uses.ts';

/** What `lsblk --json --bytes` says of one device; null where it does not know. */
interface LsblkDevice {
  readonly name: string;
  readonly path: string;
  readonly type: string;
  readonly size: number;
  readonly serial: string | null;
  readonly fstype: string | null;
  readonly fsused: number | string | null;
  readonly mountpoints: readonly (string | null)[];
  readonly children?: readonly LsblkDevice[];
}

export interface StatusParts {
  readonly run: Run;
  readonly paths: EnginePaths;
  readonly journals: readonly Journal[];
  readonly progressFile: ProgressFile;
  readonly pace: PaceFile;
}

const uninteresting = new Set(['rom', 'loop']);

/**
 * Every volume of the machine as kernel and header say it now (rule 4 of ARCHITECTURE.md): a row for each device that holds
 * something and carries no other device, and a row for each of our volumes that is locked.
 */
export async function listVolumes(parts: StatusParts): Promise<readonly VolumeStatus[]> {
  const { stdout } = await parts.run('lsblk', [
    '--json',
    '--bytes',
    '--output',
    'NAME,PATH,TYPE,SIZE,SERIAL,FSTYPE,FSUSED,MOUNTPOINTS',
  ]);
  const { blockdevices } = JSON.parse(stdout) as { blockdevices: readonly LsblkDevice[] };
  const rows: VolumeStatus[] = [];
  for (const device of blockdevices) await addRows(device, [], parts, rows);
  return rows;
}

async function addRows(
  device: LsblkDevice,
  above: readonly LsblkDevice[],
  parts: StatusParts,
  rows: VolumeStatus[],
): Promise<void> {
  if (isConversionPiece(device)) {
    for (const child of device.children ?? []) await addRows(child, above, parts, rows);
    return;
  }
  // Partitions and mappings have no serial number of their own: it is the disk's.
  const own = { ...device, serial: device.serial ?? above.at(-1)?.serial ?? null };
  const parent = above.at(-1);
  const journal = parts.journals.find(({ name }) => name === device.name);
  const isLeaf = (device.children ?? []).length === 0;
  if (device.type === 'crypt' && parent !== undefined && (isLeaf || journal !== undefined)) {
    const row = await encryptedRow(own, parent, journal, parts);
    // One device may lie below several disks (RAID): it is one volume all the same.
    if (!rows.some(({ name }) => name === row.name)) rows.push(row);
  }
  for (const child of device.children ?? []) await addRows(child, [...above, own], parts, rows);
  if (uninteresting.has(device.type) || !isLeaf || device.type === 'crypt') return;
  const known = rows.findIndex(({ name }) => name === device.name);
  const at = above.findLastIndex(({ type }) => type === 'crypt');
  const crypt = above[at];
  if (crypt !== undefined) {
    const row = await insideRow(own, crypt, above[at - 1] ?? crypt, parts);
    // Of several disks below, the one that is least encrypted speaks for the volume.
    const other = rows[known];
    if (other === undefined) rows.push(row);
    else if (other.state !== 'NotEncrypted' && row.percent < other.percent) rows[known] = row;
    return;
  }
  if (known >= 0) {
    rows[known] = plainRow(own);
    return;
  }
  const locked = await lockedJournalOf(device, parts);
  rows.push(locked === undefined ? plainRow(own) : await lockedRow(own, locked, parts));
}

/** Devices that cryptsetup puts between disk and mapping while it converts; they are no volumes of anybody's. */
function isConversionPiece({ type, name }: LsblkDevice): boolean {
  return (type === 'crypt' || type === 'dm') && /-(?:hotzone-(?:forward|backward)|overlay)$/.test(name);
}

function plainRow(device: LsblkDevice): VolumeStatus {
  const mountPoint = mountPointOf(device);
  return {
    ...commonFields(device, device),
    mountPoint,
    state: mountPoint === null ? 'NotMounted' : 'NotEncrypted',
    percent: 0,
    bytesDone: 0,
    bytesTotal: device.size,
    bytesPerSecond: null,
    etaSeconds: null,
    keySource: 'none',
    secretId: null,
    kekId: null,
  };
}

/** A mapping made by cryptsetup; without a journal of ours it is someone else's, and all of it is encrypted. */
async function encryptedRow(
  device: LsblkDevice,
  parent: LsblkDevice,
  journal: Journal | undefined,
  parts: StatusParts,
): Promise<VolumeStatus> {
  const progress = journal === undefined ? undefined : await headerProgress(journal, parts.paths);
  const pending = isPending(journal, progress);
  const isConverting = pending || progress?.pending === true;
  const speed = journal === undefined || !isConverting ? undefined : parts.progressFile.read(journal.name);
  return {
    ...commonFields(device, parent),
    name: device.name,
    mountPoint: mountPointOf(device),
    state: stateOf(pending, progress, journal),
    ...amounts(progress, pending ? 0 : device.size, device.size),
    bytesPerSecond: speed?.bytesPerSecond ?? null,
    etaSeconds: speed?.etaSeconds ?? null,
    ...(journal !== undefined && !isFinished(journal) ? { paused: (await parts.pace.read(journal.name)).paused } : {}),
    ...keyFields(journal),
    operation: operationOf(journal, progress),
  };
}

function stateOf(
  pending: boolean,
  progress: ReencryptionProgress | undefined,
  journal: Journal | undefined,
): VolumeStatus['state'] {
  const mode = progress === undefined ? journal?.operation : progress.mode;
  if (pending) return mode === 'decrypt' ? 'DecryptionInProgress' : 'EncryptionInProgress';
  // Behind a decryption the mapping only passes on, as long as the volume has not left it.
  return progress !== undefined && progress.bytesEncrypted === 0 ? 'NotEncrypted' : 'Encrypted';
}

/** What lies on encrypted disks (a logical volume, an array) is as encrypted as they are. */
async function insideRow(
  device: LsblkDevice,
  crypt: LsblkDevice,
  disk: LsblkDevice,
  parts: StatusParts,
): Promise<VolumeStatus> {
  const journal = parts.journals.find(({ name }) => name === crypt.name);
  const below = await encryptedRow(crypt, disk, journal, parts);
  const { state, percent, bytesPerSecond, etaSeconds, keySource, secretId, kekId } = below;
  return {
    ...commonFields(device, disk),
    mountPoint: mountPointOf(device),
    state,
    percent,
    bytesDone: Math.floor((device.size * percent) / 100),
    bytesTotal: device.size,
    bytesPerSecond,
    etaSeconds,
    keySource,
    secretId,
    kekId,
  };
}

/** Without a readable header the journal has the last word: it never calls a volume encrypted too early. */
function isPending(journal: Journal | undefined, progress: ReencryptionProgress | undefined): boolean {
  if (progress === undefined) return journal !== undefined && !isFinished(journal) && !isEncryptedThroughout(journal);
  // With a change of the volume key a block is encrypted with the one key or with the other.
  return progress.pending && !progress.awaitsFinish && progress.mode !== 'reencrypt';
}

/** What is being done to a volume whose state does not show it. */
function operationOf(
  journal: Journal | undefined,
  progress: ReencryptionProgress | undefined,
): NonNullable<VolumeStatus['operation']> | null {
  if (journal === undefined || isFinished(journal) || !isEncryptedThroughout(journal)) return null;
  const isConverting = progress?.pending === true && progress.mode === 'reencrypt';
  return {
    name: journal.operation,
    percent: isConverting ? share(progress.bytesConverted, progress.bytesTotal) : null,
  };
}

async function lockedRow(device: LsblkDevice, journal: Journal, parts: StatusParts): Promise<VolumeStatus> {
  const progress = await headerProgress(journal, parts.paths);
  return {
    ...commonFields(device, device),
    name: journal.name,
    fileSystem: useOf(journal).contentType,
    mountPoint: null,
    state: 'Locked',
    ...amounts(progress, isFinished(journal) || isEncryptedThroughout(journal) ? device.size : 0, device.size),
    bytesPerSecond: null,
    etaSeconds: null,
    ...keyFields(journal),
    operation: operationOf(journal, progress),
  };
}

/** The journal of a volume that should be open over this device and is not. */
async function lockedJournalOf(device: LsblkDevice, parts: StatusParts): Promise<Journal | undefined> {
  for (const journal of parts.journals) {
    if (!isMapped(journal) || (await activeMapping(journal.name)) !== undefined) continue;
    const { stdout, exitCode } = await parts.run(
      'lsblk',
      ['--json', '--nodeps', '--output', 'PATH', journal.device.path],
      {
        accept: [0, 1, 32],
      },
    );
    if (exitCode !== 0) continue;
    const { blockdevices } = JSON.parse(stdout) as { blockdevices: readonly { readonly path: string }[] };
    if (blockdevices[0]?.path === device.path) return journal;
  }
  return undefined;
}

function commonFields(
  device: LsblkDevice,
  below: LsblkDevice,
): Pick<VolumeStatus, 'name' | 'device' | 'serial' | 'fileSystem' | 'sizeBytes' | 'usedBytes' | 'kind'> {
  return {
    name: device.name,
    device: below.path,
    serial: device.serial,
    fileSystem: device.fstype,
    sizeBytes: device.size,
    usedBytes: device.fsused === null ? null : Number(device.fsused),
    kind: kindOf(device),
  };
}

function kindOf(device: LsblkDevice): VolumeStatus['kind'] {
  const points = device.mountpoints.filter((point) => point !== null);
  if (points.includes('/')) return 'os';
  const isSystem = points.some((point) => point === '[SWAP]' || point === '/boot' || point.startsWith('/boot/'));
  return isSystem || device.fstype === 'swap' || device.size < smallestVolumeBytes ? 'other' : 'data';
}

/** Below it nobody keeps data: BIOS boot partitions, the key volume. */
const smallestVolumeBytes = 64 * 1024 * 1024;

function mountPointOf(device: LsblkDevice): string | null {
  return device.mountpoints.find((point) => point !== null) ?? null;
}

/** @param assumed bytes encrypted where the header cannot tell */
function amounts(
  progress: ReencryptionProgress | undefined,
  assumed: number,
  size: number,
): Pick<VolumeStatus, 'percent' | 'bytesDone' | 'bytesTotal'> {
  const { bytesEncrypted, bytesTotal } = progress ?? { bytesEncrypted: assumed, bytesTotal: size };
  return { percent: share(bytesEncrypted, bytesTotal), bytesDone: bytesEncrypted, bytesTotal };
}

/** Percent, one decimal, never rounded up. */
function share(bytes: number, total: number): number {
  return total === 0 ? 0 : Math.floor((bytes / total) * 1000) / 10;
}

function keyFields(journal: Journal | undefined): Pick<VolumeStatus, 'keySource' | 'secretId' | 'kekId'> {
  return {
    keySource: journal?.keySource ?? 'none',
    secretId: journal?.passphrase?.secretId ?? null,
    kekId: journal?.passphrase?.kekId ?? null,
  };
}

/** undefined when the header cannot be read: then the other volumes are listed all the same. */
async function headerProgress(journal: Journal, paths: EnginePaths): Promise<ReencryptionProgress | undefined> {
  try {
    const header = readLuks2Header(await readHeaderFile(headerPlace(journal, paths)));
    return reencryptionProgress(header.newest.metadata, journal.device.sizeBytes);
  } catch (error) {
    if (error instanceof KannukiError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
