import { randomUUID } from 'node:crypto';
import { type Finding, KannukiError, type Run } from '@kannuki/core';
import { defaultKeyFileName } from '@kannuki/keyvault';
import { checkMachineVolumes } from '../checks/check-machine.ts';
import type { Volume } from '../facts/model.ts';
import { lastingName } from '../targets/devices.ts';
import type { ChosenTuning } from '../tuning/choose-tuning.ts';
import { sectorSizeFor } from '../tuning/sector-size.ts';
import type { Journal } from './journal.ts';
import { volumeName } from './volume-name.ts';

export interface PlanRequest {
  readonly target: string;
  readonly stopServices: boolean;
  readonly run: Run;
  readonly vaultUri: string;
  readonly kekId: string | null;
  readonly keyVolumeUuid: string | null;
  /** Volumes that are encrypted already: their key files have their names. */
  readonly journals: readonly Journal[];
  /** Asked only when no check refuses: it may measure for seconds. */
  readonly tuningOf: (device: Volume['device']) => Promise<ChosenTuning>;
}

/**
 * Checks a volume and makes the journal that its encryption begins with. Changes nothing.
 * @throws KannukiError KNK-VOL-0006 with all findings when a check refuses, or what reading the facts throws
 */
export async function planEncryption(request: PlanRequest): Promise<Journal> {
  const { target, run, stopServices } = request;
  const check = await checkMachineVolumes({ targets: [target], stopServices }, { root: '/', run });
  const [volume] = check.volumes;
  const journal = volume === undefined ? undefined : journalFor(volume, request);
  if (volume === undefined || journal === undefined || check.findings.some(({ severity }) => severity === 'refuse')) {
    throw refused(target, check.findings);
  }
  const { tuning } = await request.tuningOf(volume.device);
  return { ...journal, tuning };
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
    step: 'planned',
    device: { path: lastingName(device) ?? device.path, sizeBytes: device.sizeBytes, serial: device.serial },
    fileSystem: { type: device.signature.type, uuid },
    mount: {
      point: mount.point,
      options: fstab.entry.options.join(','),
      dump: fstab.entry.dump,
      pass: fstab.entry.pass,
      originalLine: fstab.line,
    },
    header: { sectorSize: sectorSizeFor(device), resilience: 'journal' },
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

/** ADE's name for the first volume; each further volume has a file of its own beside it. */
function keyFileName(journals: readonly Journal[]): string {
  const taken = new Set(journals.map((journal) => journal.keyFileName));
  if (!taken.has(defaultKeyFileName)) return defaultKeyFileName;
  for (let number = 1; ; number++) {
    const name = `${defaultKeyFileName}_${number}`;
    if (!taken.has(name)) return name;
  }
}
