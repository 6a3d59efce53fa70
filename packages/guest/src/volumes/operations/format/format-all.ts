import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finding, KannukiError, makeDirectoryDurably, writeFileDurably } from '@kannuki/core';
import { canBeEncrypted, checkVolumes } from '../../../checks/check-volumes.ts';
import { cameLater, formattedTypes, leftToLvmOrRaid } from '../../../checks/format.ts';
import { readGuestFacts } from '../../../facts/guest-facts.ts';
import type { GuestFacts, Volume } from '../../../facts/model.ts';
import { type FactSources, thisMachine } from '../../../facts/sources.ts';
import { volumesOfType } from '../../../targets/targets.ts';
import { isEmptyFileSystem } from '../../empty.ts';
import type { EnginePaths } from '../../paths.ts';
import { identityOf, isSameVolume, type VolumeIdentity } from './identity.ts';

/** A volume that a request for all data volumes formats. */
export interface FormatCandidate {
  readonly point: string;
  readonly device: string;
  readonly fileSystem: string;
  readonly sizeBytes: number;
  /** Nothing is lost. */
  readonly isEmpty: boolean;
  readonly identity: VolumeIdentity;
}

export interface FormatAllPlan {
  readonly volumes: readonly FormatCandidate[];
  readonly findings: readonly Finding[];
  /** The volumes were confirmed when the request was made for the first time; nobody is to be asked again. */
  readonly isRepeated: boolean;
}

/**
 * EncryptFormatAll: mounted data volumes with a line in fstab; never the OS disk, the temporary disk, the key volume, what is
 * encrypted, or LVM and RAID (REQ-257). The first request stands: when it is made again, a volume that has come since is left alone
 * unless it holds no file.
 */
export async function planFormatAll(
  paths: Pick<EnginePaths, 'state'>,
  { stopServices }: { readonly stopServices: boolean },
  sources: FactSources = thisMachine,
): Promise<FormatAllPlan> {
  const facts = await readGuestFacts(sources);
  const record = await readRecord(paths);
  const all = volumesOfType(facts, 'DATA');
  const fitting = all.filter((volume) => isCandidate(facts, volume));
  const candidates = await Promise.all(fitting.map(candidateOf));
  const allowed = candidates.filter(({ identity, isEmpty }) => mayBeFormatted(record, identity, isEmpty));
  const late = candidates.filter((candidate) => !allowed.includes(candidate));
  const layered = all.filter((volume) => canBeEncrypted(facts, volume) && !fitting.includes(volume));
  const checked = all.filter(
    (volume) => !layered.includes(volume) && !late.some(({ device }) => device === volume.device.path),
  );
  return {
    volumes: allowed,
    findings: [
      ...checkVolumes(facts, { volumes: checked, named: false, stopServices }),
      ...layered.map(leftToLvmOrRaid),
      ...late.map(({ point, device }) => cameLater(point, device)),
    ],
    isRepeated: record !== undefined,
  };
}

const ownDevices = new Set(['disk', 'part']);

function isCandidate(facts: GuestFacts, volume: Volume): boolean {
  const type = volume.device.signature?.type;
  if (type === undefined || !formattedTypes.has(type)) return false;
  return ownDevices.has(volume.device.type) && canBeEncrypted(facts, volume);
}

export function mayBeFormatted(
  confirmed: readonly VolumeIdentity[] | undefined,
  identity: VolumeIdentity,
  isEmpty: boolean,
): boolean {
  return confirmed === undefined || isEmpty || confirmed.some((one) => isSameVolume(one, identity));
}

async function candidateOf(volume: Volume): Promise<FormatCandidate> {
  const { device, mount } = volume;
  const point = mount?.point ?? '';
  return {
    point,
    device: device.path,
    fileSystem: device.signature?.type ?? '',
    sizeBytes: device.sizeBytes,
    isEmpty: await isEmptyFileSystem(point),
    identity: identityOf(volume),
  };
}

/** Puts on record what was confirmed, before the first volume changes. */
export async function confirmFormatAll(
  paths: Pick<EnginePaths, 'state'>,
  confirmed: readonly VolumeIdentity[],
): Promise<void> {
  await makeDirectoryDurably(paths.state, 0o700);
  await writeFileDurably(recordPath(paths), `${JSON.stringify({ version: 1, confirmed }, null, 2)}\n`, 0o600);
}

/** A volume that was formatted is no longer confirmed: should its old content come back from a backup, it stays. */
export async function withdrawConfirmation(paths: Pick<EnginePaths, 'state'>, identity: VolumeIdentity): Promise<void> {
  const record = await readRecord(paths);
  if (record === undefined) return;
  await confirmFormatAll(
    paths,
    record.filter((one) => !isSameVolume(one, identity)),
  );
}

/** @returns what was confirmed and is not formatted yet; undefined when no such request was made on this machine */
async function readRecord(paths: Pick<EnginePaths, 'state'>): Promise<readonly VolumeIdentity[] | undefined> {
  const path = recordPath(paths);
  try {
    const record = JSON.parse(await readFile(path, 'utf8')) as { version?: unknown; confirmed?: unknown } | null;
    if (record?.version !== 1 || !Array.isArray(record.confirmed)) throw new Error('not a record of this version');
    return record.confirmed as readonly VolumeIdentity[];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KannukiError('KNK-VOL-0001', { details: { path }, cause });
  }
}

function recordPath({ state }: Pick<EnginePaths, 'state'>): string {
  return join(state, 'format-all.json');
}
