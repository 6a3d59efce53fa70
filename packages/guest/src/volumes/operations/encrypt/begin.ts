import { randomUUID } from 'node:crypto';
import { type Finding, KannukiError } from '@kannuki/core';
import { defaultKeyFileName } from '@kannuki/keyvault';
import { checkMachineVolumes } from '../../../checks/check-machine.ts';
import type { GuestFacts, Volume } from '../../../facts/model.ts';
import { lastingName } from '../../../targets/devices.ts';
import { isPhysicalVolume } from '../../../targets/volume-groups.ts';
import { sectorSizeFor } from '../../../tuning/sector-size.ts';
import type { Journal } from '../../journal.ts';
import type { VolumeUse } from '../../uses/uses.ts';
import { volumeName } from '../../volume-name.ts';
import type { Encryption, PlanRequest } from '../operation.ts';
import { planGroup } from './plan-group.ts';

/** Encryption where the data is, while it is in use. */
export const inPlace: Encryption = {
  operation: 'encrypt',
  alsoGoesOnWith: ['used-only'],
  plan: planEncryption,
};

async function planEncryption(request: PlanRequest): Promise<Journal> {
  const { target, run, stopServices } = request;
  const check = await checkMachineVolumes({ targets: [target], stopServices }, { root: '/', run });
  const [volume] = check.volumes;
  const journal = volume === undefined ? undefined : journalFor(check.facts, volume, request);
  if (volume === undefined || journal === undefined || check.findings.some(({ severity }) => severity === 'refuse')) {
    throw refused(target, check.findings);
  }
  const { tuning } = await request.tuningOf(volume.device);
  // The use of the volume decides about its sectors, e.g. what lies on a physical volume.
  return { ...journal, tuning: { ...tuning, sectorSize: journal.header.sectorSize } };
}

function refused(target: string, findings: readonly Finding[]): KannukiError {
  return new KannukiError('KNK-VOL-0006', { details: { target }, findings });
}

/** undefined for what the checks refuse anyhow: no mount, no line in fstab, no file system. */
function journalFor(facts: GuestFacts, volume: Volume, request: PlanRequest): Journal | undefined {
  const { device } = volume;
  const planned = isPhysicalVolume(device) ? planGroup(facts, device) : planMount(volume);
  if (planned === undefined) return undefined;
  const { vaultUri, kekId, keyVolumeUuid, stopServices } = request;
  return {
    version: 1,
    name: planned.name,
    operation: 'encrypt',
    madeBy: 'encrypt',
    step: 'planned',
    device: { path: lastingName(device) ?? device.path, sizeBytes: device.sizeBytes, serial: device.serial },
    use: planned.use,
    header: { place: 'file', sectorSize: planned.sectorSize, resilience: 'journal' },
    vaultUri,
    kekId,
    secretName: randomUUID(),
    keyFileName: keyFileName(request.journals),
    keySource: keyVolumeUuid === null ? 'vault' : 'key-volume',
    keyVolumeUuid,
    passphrase: null,
    headerRecord: null,
    luksUuid: null,
    stopServices,
    stoppedUnits: [],
    downtimeSeconds: null,
  };
}

interface Planned {
  readonly name: string;
  readonly use: VolumeUse;
  readonly sectorSize: 512 | 4096;
}

function planMount({ device, mount, fstab }: Volume): Planned | undefined {
  const { signature } = device;
  if (mount === null || fstab === null || fstab.entry === null || signature === null || signature.uuid === null)
    return undefined;
  const { options, dump, pass } = fstab.entry;
  const use: VolumeUse = {
    kind: 'mount',
    fileSystem: { type: signature.type, uuid: signature.uuid },
    point: mount.point,
    options: options.join(','),
    dump,
    pass,
    originalLine: fstab.line,
  };
  return { name: volumeName(mount.point), use, sectorSize: sectorSizeFor(device) };
}

/** ADE's name for the first volume; each further volume has a file of its own beside it. */
export function keyFileName(journals: readonly Journal[]): string {
  const taken = new Set(journals.map((journal) => journal.keyFileName));
  if (!taken.has(defaultKeyFileName)) return defaultKeyFileName;
  for (let number = 1; ; number++) {
    const name = `${defaultKeyFileName}_${number}`;
    if (!taken.has(name)) return name;
  }
}
