import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { type Finding, isRefused, KannukiError } from '@kannuki/core';
import { checkMachineVolumes } from '../../../checks/check-machine.ts';
import { checkMachine } from '../../../checks/check-volumes.ts';
import {
  carriesGroup,
  checkBlankDevice,
  checkFormatSize,
  checkFormatType,
  notConfirmed,
} from '../../../checks/format.ts';
import { readGuestFacts } from '../../../facts/guest-facts.ts';
import type { BlockDevice } from '../../../facts/model.ts';
import { lastingName } from '../../../targets/devices.ts';
import { resolveTargets } from '../../../targets/targets.ts';
import { tracesOn } from '../../blank.ts';
import { isEmptyFileSystem } from '../../empty.ts';
import type { Journal } from '../../journal.ts';
import { volumeName } from '../../volume-name.ts';
import { keyFileName } from '../encrypt/begin.ts';
import type { Encryption, PlanRequest } from '../operation.ts';
import type { FormatRecord } from './format-record.ts';
import { identityOf, isSameVolume, type VolumeIdentity } from './identity.ts';

/** File systems that a blank device can get. */
export const newFileSystems = ['ext4', 'xfs'] as const;

export interface FormatOptions {
  /** Volumes that somebody confirmed may lose everything. Others are formatted only when they hold no file. */
  readonly confirmed: readonly VolumeIdentity[];
  /** false leaves what was on the disk readable below, until it is written over. */
  readonly wipe: boolean;
  /** For a blank device: where it is to be mounted, and with which file system. */
  readonly blank?: { readonly mountPoint: string; readonly fileSystem: (typeof newFileSystems)[number] };
}

/** An encrypted volume that begins empty: a mounted one is given up, or a blank device gets its first file system. */
export function formatting(options: FormatOptions): Encryption {
  return {
    operation: 'format',
    plan: (request) =>
      options.blank === undefined ? planMounted(request, options) : planBlank(request, options, options.blank),
  };
}

async function planMounted(request: PlanRequest, { confirmed, wipe }: FormatOptions): Promise<Journal> {
  const { target, run, stopServices } = request;
  const check = await checkMachineVolumes({ targets: [target], stopServices }, { root: '/', run });
  const [volume] = check.volumes;
  if (volume === undefined || isRefused(check.findings)) throw refused(target, check.findings);
  const { device, mount, fstab } = volume;
  const uuid = device.signature?.uuid ?? null;
  if (mount === null || fstab === null || fstab.entry === null || device.signature === null || uuid === null) {
    // All but a physical volume has been refused for that already.
    throw refused(target, [...check.findings, carriesGroup(device)]);
  }
  const { type, label } = device.signature;
  const isConfirmed = confirmed.some((identity) => isSameVolume(identity, identityOf(volume)));
  const findings = [
    ...checkFormatType(device, type),
    ...checkFormatSize(device, type),
    ...(isConfirmed || (await isEmptyFileSystem(mount.point)) ? [] : [notConfirmed(volume)]),
  ];
  if (findings.length > 0) throw refused(target, [...check.findings, ...findings]);
  const { uid, gid, mode } = await stat(mount.point);
  return journalFor(request, device, {
    point: mount.point,
    options: fstab.entry.options.join(','),
    dump: fstab.entry.dump,
    pass: fstab.entry.pass,
    originalLine: fstab.line,
    type,
    format: {
      before: { type, uuid },
      onlyIfEmpty: !isConfirmed,
      luksUuid: randomUUID(),
      label: label ?? '',
      topFolder: { uid, gid, mode: mode & 0o7777 },
      wipe,
      leftAt: null,
    },
  });
}

async function planBlank(
  request: PlanRequest,
  { wipe }: FormatOptions,
  { mountPoint, fileSystem }: NonNullable<FormatOptions['blank']>,
): Promise<Journal> {
  const { target, run } = request;
  const sources = { root: '/', run };
  const facts = await readGuestFacts(sources);
  const [volume] = await resolveTargets(facts, [target], sources);
  if (volume === undefined) throw new KannukiError('KNK-VOL-0100', { details: { target } });
  const { device } = volume;
  const traces = await tracesOn(run, device.path, device.sizeBytes);
  const findings = [
    ...checkMachine(facts, 1),
    ...(await checkBlankDevice(facts, volume, { mountPoint, traces })),
    ...checkFormatSize(device, fileSystem),
  ];
  if (isRefused(findings)) throw refused(target, findings);
  return journalFor(request, device, {
    point: mountPoint,
    options: 'defaults,nofail',
    dump: 0,
    pass: 2,
    originalLine: null,
    type: fileSystem,
    format: {
      before: null,
      onlyIfEmpty: false,
      luksUuid: randomUUID(),
      label: '',
      topFolder: null,
      wipe,
      leftAt: null,
    },
  });
}

interface NewVolume {
  readonly point: string;
  readonly options: string;
  readonly dump: number;
  readonly pass: number;
  readonly originalLine: string | null;
  readonly type: string;
  readonly format: FormatRecord;
}

function journalFor(request: PlanRequest, device: BlockDevice, volume: NewVolume): Journal {
  const { vaultUri, kekId, keyVolumeUuid, stopServices, journals } = request;
  const { point, options, dump, pass, originalLine, type, format } = volume;
  return {
    version: 1,
    name: volumeName(point),
    operation: 'format',
    madeBy: 'format',
    step: 'planned',
    device: { path: lastingName(device) ?? device.path, sizeBytes: device.sizeBytes, serial: device.serial },
    use: { kind: 'mount', fileSystem: { type, uuid: randomUUID() }, point, options, dump, pass, originalLine },
    header: { place: 'disk', sectorSize: device.sizeBytes % 4096 === 0 ? 4096 : 512, resilience: 'journal' },
    vaultUri,
    kekId,
    secretName: randomUUID(),
    keyFileName: keyFileName(journals),
    keySource: keyVolumeUuid === null ? 'vault' : 'key-volume',
    keyVolumeUuid,
    passphrase: null,
    headerRecord: null,
    luksUuid: null,
    stopServices,
    stoppedUnits: [],
    downtimeSeconds: null,
    format,
  };
}

function refused(target: string, findings: readonly Finding[]): KannukiError {
  return new KannukiError('KNK-VOL-0006', { details: { target }, findings });
}
