import { randomUUID } from 'node:crypto';
import { type Finding, KannukiError } from '@kannuki/core';
import { defaultKeyFileName } from '@kannuki/keyvault';
import { checkMachineVolumes } from '../../../checks/check-machine.ts';
import type { BlockDevice, Volume } from '../../../facts/model.ts';
import { lastingName } from '../../../targets/devices.ts';
import type { Journal } from '../../journal.ts';
import { volumeName } from '../../volume-name.ts';
import type { Encryption, PlanRequest } from '../operation.ts';

/** Encryption where the data is, while it is in use. */
export const inPlace: Encryption = { operation: 'encrypt', plan: planEncryption };

async function planEncryption(request: PlanRequest): Promise<Journal> {
  const { target, run, stopServices } = request;
  const check = await checkMachineVolumes({ targets: [target], stopServices }, { root: '/', run });
  const [volume] = check.volumes;
  const journal = volume === undefined ? undefined : journalFor(volume, request);
  if (journal === undefined || check.findings.some(({ severity }) => severity === 'refuse')) {
    throw refused(target, check.findings);
  }
  return journal;
}

function refused(target: string, findings: readonly Finding[]): KannukiError {
  return new KannukiError('KNK-VOL-0006', { details: { target }, findings });
}

/** undefined for what the checks refuse anyhow: no mount, no line in fstab, no file system. */
function journalFor({ device, mount, fstab }: Volume, request: PlanRequest): Journal | undefined {
  const uuid = device.signature?.uuid ?? null;
  if (mount === null || fstab === null || fstab.entry === null || device.signature === null || uuid === null)
    return undefined;
  const { vaultUri, kekId, keyVolumeUuid, stopServices } = request;
  return {
    version: 1,
    name: volumeName(mount.point),
    operation: 'encrypt',
    madeBy: 'encrypt',
    step: 'planned',
    device: { path: lastingName(device) ?? device.path, sizeBytes: device.sizeBytes, serial: device.serial },
    use: {
      kind: 'mount',
      fileSystem: { type: device.signature.type, uuid },
      point: mount.point,
      options: fstab.entry.options.join(','),
      dump: fstab.entry.dump,
      pass: fstab.entry.pass,
      originalLine: fstab.line,
    },
    header: { place: 'file', sectorSize: sectorSizeFor(device), resilience: 'journal' },
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

/**
 * 4096 where everything that lies on the device is made of whole pieces of it: the journal mode then does the fewest
 * writes. A file system with smaller sectors could not be mounted over a device with larger ones.
 */
function sectorSizeFor({ fileSystem, sizeBytes }: BlockDevice): 512 | 4096 {
  const fits = fileSystem !== null && fileSystem.sectorBytes % 4096 === 0 && sizeBytes % 4096 === 0;
  return fits ? 4096 : 512;
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
