import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { type Finding, isRefused, KannukiError } from '@kannuki/core';
import { checkMachine } from '../../../checks/check-volumes.ts';
import { checkNesting, checkOtherMounts } from '../../../checks/mounts.ts';
import { checkOpenFiles } from '../../../checks/open-files.ts';
import { checkSwap, checkTemporary, type TemporaryDiskManagers } from '../../../checks/random-key.ts';
import { readGuestFacts } from '../../../facts/guest-facts.ts';
import type { BlockDevice, GuestFacts, Volume } from '../../../facts/model.ts';
import { isResourceDisk, lastingName } from '../../../targets/devices.ts';
import { resolveTargets } from '../../../targets/targets.ts';
import type { Journal } from '../../journal.ts';
import type { VolumeUse } from '../../uses/uses.ts';
import type { Encryption, PlanRequest } from '../operation.ts';
import { markBytes, type RandomKeyRecord } from './random-key-record.ts';

/** ADE's name for the mapping over the temporary disk (REQ-101). */
const temporaryName = 'resourceencrypt';

/**
 * A key that the kernel makes at each boot and that nobody ever sees: for swap space, and for the temporary disk.
 * @param mayLoseFiles it was confirmed that the files on a temporary disk may go
 */
export function withRandomKey(options: { readonly mayLoseFiles: boolean }): Encryption {
  return { operation: 'random-key', plan: (request) => plan(request, options.mayLoseFiles) };
}

/** Whether a target is of a kind that gets a random key; else it is encrypted with a key in the vault. */
export function takesRandomKey(facts: GuestFacts, { device }: Volume): boolean {
  return device.signature?.type === 'swap' || isResourceDisk(facts, device);
}

async function plan(request: PlanRequest, mayLoseFiles: boolean): Promise<Journal> {
  const { target, run, stopServices } = request;
  const sources = { root: '/', run };
  const facts = await readGuestFacts(sources);
  const [volume] = await resolveTargets(facts, [target], sources);
  if (volume === undefined) throw new KannukiError('KNK-VOL-0100', { details: { target } });
  const managers = await readManagers();
  const isTemporary = isResourceDisk(facts, volume.device);
  const findings = [
    ...checkMachine(facts, 1),
    ...(isTemporary
      ? [
          ...checkTemporary(facts, volume, managers, !mayLoseFiles && (await holdsFiles(volume))),
          ...checkNesting(facts, volume),
          ...checkOtherMounts(facts, volume),
          ...checkOpenFiles(facts, volume, stopServices),
        ]
      : checkSwap(facts, volume, managers)),
  ];
  const journal = isTemporary ? temporaryJournal(volume, request) : swapJournal(facts, volume, request);
  if (journal === undefined || isRefused(findings)) throw refused(target, findings);
  return journal;
}

/** Azure puts a warning there, and mkfs(8) a folder. */
const nobodysFiles = new Set(['lost+found', 'DATALOSS_WARNING_README.txt']);

async function holdsFiles({ mount }: Volume): Promise<boolean> {
  if (mount === null) return true;
  return (await readdir(mount.point)).some((name) => !nobodysFiles.has(name));
}

function swapJournal(facts: GuestFacts, { device, fstab }: Volume, request: PlanRequest): Journal | undefined {
  const { signature } = device;
  if (signature === null || signature.uuid === null) return undefined;
  const name = `kn_swap_${signature.uuid.replace(/[^A-Za-z0-9]/g, '').slice(0, 8)}`;
  const path = lastingName(device) ?? device.path;
  const entry = fstab?.entry?.fileSystem === 'swap' ? fstab.entry : null;
  const use: VolumeUse = {
    kind: 'swap',
    device: path,
    mapper: name,
    uuid: signature.uuid,
    label: signature.label ?? '',
    options: entry === null ? 'sw' : entry.options.join(','),
    wasActive: facts.swaps.some((swap) => swap.path === device.path || device.links.includes(swap.path)),
    originalLine: entry === null ? null : (fstab?.line ?? null),
  };
  return journalFor(request, {
    name,
    device,
    path,
    use,
    randomKey: { markUuid: randomUUID(), offsetBytes: markBytes },
  });
}

/** Found by its role: behind the next deallocation there is another disk, and its content is lost by nature. */
const roleLink = /^\/dev\/disk\/(?:azure\/resource|cloud\/azure_resource)/;

function temporaryJournal({ device, mount, fstab }: Volume, request: PlanRequest): Journal | undefined {
  const path = device.links.find((link) => roleLink.test(link));
  if (mount === null || path === undefined) return undefined;
  const entry = fstab?.entry ?? null;
  const use: VolumeUse = {
    kind: 'temporary',
    point: mount.point,
    fileSystem: device.signature?.type === 'xfs' ? 'xfs' : 'ext4',
    options: entry === null ? 'defaults,nofail' : ownOptions(entry.options),
    originalLine: entry === null ? null : (fstab?.line ?? null),
  };
  return journalFor(request, { name: temporaryName, device, path, use, randomKey: { markUuid: null, offsetBytes: 0 } });
}

/** Without what ties the mount to cloud-init or to the network: our unit is mounted with the local file systems. */
function ownOptions(options: readonly string[]): string {
  const own = options.filter((option) => !/^(?:x-systemd\..*|comment=.*|_netdev|nofail|auto|noauto)$/.test(option));
  return [...own, 'nofail'].join(',');
}

interface NewVolume {
  readonly name: string;
  readonly device: BlockDevice;
  readonly path: string;
  readonly use: VolumeUse;
  readonly randomKey: RandomKeyRecord;
}

function journalFor({ stopServices }: PlanRequest, { name, device, path, use, randomKey }: NewVolume): Journal {
  return {
    version: 1,
    name,
    operation: 'random-key',
    madeBy: 'random-key',
    step: 'planned',
    device: { path, sizeBytes: device.sizeBytes, serial: device.serial },
    use,
    header: { place: 'file', sectorSize: device.sizeBytes % 4096 === 0 ? 4096 : 512, resilience: 'journal' },
    vaultUri: '',
    kekId: null,
    secretName: '',
    keyFileName: '',
    keySource: 'random',
    keyVolumeUuid: null,
    passphrase: null,
    headerRecord: null,
    luksUuid: null,
    stopServices,
    stoppedUnits: [],
    downtimeSeconds: null,
    randomKey,
  };
}

async function readManagers(): Promise<TemporaryDiskManagers> {
  const agent = await textOf('/etc/waagent.conf');
  const resume = (await textOf('/sys/power/resume')).trim();
  return {
    azureAgentFormats: /^\s*ResourceDisk\.Format\s*=\s*y/im.test(agent),
    resumeDevice: /^\d+:\d+$/.test(resume) && resume !== '0:0' ? resume : null,
  };
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function refused(target: string, findings: readonly Finding[]): KannukiError {
  return new KannukiError('KNK-VOL-0006', { details: { target }, findings });
}
