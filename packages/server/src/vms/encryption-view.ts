import type { AgentProblem, AgentStatus, VolumeGoal, VolumeState, VolumeStatus } from '@kannuki/core';
import type { StoredRequest, StoredStatus } from '../storage/goal-store.ts';
import type { Vm, VmDataDisk } from './vm.ts';
import { osDiskName } from './vm-shape.ts';

export interface EncryptionViewInput {
  readonly vm: Vm;
  readonly request: StoredRequest | undefined;
  readonly targets: readonly VolumeGoal[];
  readonly last: StoredStatus | undefined;
  /** ARM id of the vault that an object id belongs to; undefined for a vault that is not ours. */
  readonly vaultIdOf: (objectId: string, collection: 'keys' | 'secrets') => string | undefined;
}

export interface InstanceStatus {
  readonly code: string;
  readonly displayStatus: string;
  readonly level: 'Info' | 'Warning' | 'Error';
  readonly message: string | null;
  readonly time: string | null;
}

export interface DiskEncryptionView {
  readonly name: string;
  readonly encryptionSettings: readonly object[] | null;
  readonly statuses: readonly InstanceStatus[];
}

/** What `az vm encryption show` prints (REQ-199). */
export interface EncryptionView {
  readonly disks: readonly DiskEncryptionView[];
  readonly status: readonly InstanceStatus[];
  readonly substatus: readonly InstanceStatus[];
}

type Phase = 'waiting' | 'locked' | 'working' | 'failed' | 'done';

const extension = 'Microsoft.Azure.Security.AzureDiskEncryptionForLinux';

/**
 * The state of a VM's encryption in az's shape. It says what the agent reported, which is what kernel and headers say
 * (rule 4): what was asked for shows only in that something is still under way.
 * @returns null where encryption was never asked for and no volume is encrypted (REQ-200)
 */
export function encryptionView(input: EncryptionViewInput): EncryptionView | null {
  const { request, last } = input;
  const volumes = last?.status.volumes ?? [];
  if (request === undefined && !volumes.some(({ secretId }) => secretId !== null)) return null;
  const time = last === undefined ? null : new Date(last.receivedAt).toISOString();
  const phase = phaseOf(input);
  return {
    disks: diskViews(input, volumes),
    status: [overallStatus(input, phase, time)],
    substatus: [componentStatus(last?.status, phase, time)],
  };
}

/** Whether every volume that was asked for is encrypted, to the last block. */
export function isEncryptionDone(input: EncryptionViewInput): boolean {
  return phaseOf(input) === 'done';
}

/** Volumes of the goal that were refused or failed. */
export function problemsOf({ targets, last }: EncryptionViewInput): readonly AgentProblem[] {
  const wanted = new Set(targets.map(({ target }) => target));
  return (last?.status.problems ?? []).filter(({ target }) => wanted.has(target) || target === 'agent');
}

/** The state of all data volumes together, in ADE's words (REQ-191). */
export function dataState(volumes: readonly VolumeStatus[]): VolumeState {
  const states = volumes.filter(isMountedData).map(({ state }) => state);
  if (states.length === 0) return 'NotMounted';
  for (const busy of ['EncryptionInProgress', 'DecryptionInProgress'] as const) if (states.includes(busy)) return busy;
  if (states.includes('NotEncrypted')) return 'NotEncrypted';
  return states.every((state) => state === 'Encrypted') ? 'Encrypted' : 'NotMounted';
}

function isMountedData({ kind, mountPoint }: VolumeStatus): boolean {
  return kind === 'data' && mountPoint !== null;
}

function phaseOf(input: EncryptionViewInput): Phase {
  const { request, targets, last } = input;
  if (last === undefined || (request !== undefined && !request.expanded)) return 'waiting';
  if (problemsOf(input).length > 0) return 'failed';
  if (last.status.volumes.some(({ state }) => state === 'Locked')) return 'locked';
  const stateOf = (target: string): VolumeState | undefined =>
    last.status.volumes.find(({ mountPoint, device }) => mountPoint === target || device === target)?.state;
  return targets.every(({ target }) => stateOf(target) === 'Encrypted') ? 'done' : 'working';
}

function overallStatus(input: EncryptionViewInput, phase: Phase, time: string | null): InstanceStatus {
  switch (phase) {
    case 'waiting': {
      const message = input.last === undefined ? 'Extension status not available on the VM.' : 'Transitioning';
      return { code: 'ProvisioningState/transitioning', displayStatus: 'Transitioning', level: 'Info', message, time };
    }
    case 'locked': {
      const message = 'Volumes are locked; the VM waits for their keys';
      return {
        code: 'ProvisioningState/transitioning',
        displayStatus: 'Transitioning',
        level: 'Warning',
        message,
        time,
      };
    }
    case 'failed': {
      const message = problemsOf(input)
        .map(({ target, code, message: what, remedy }) => `${target}: ${code}: ${what}; ${remedy}`)
        .join('\n');
      return { code: 'ProvisioningState/failed', displayStatus: 'Provisioning failed', level: 'Error', message, time };
    }
    case 'working': {
      const message = progressText(input);
      return { code: 'ProvisioningState/transitioning', displayStatus: 'Transitioning', level: 'Info', message, time };
    }
    case 'done': {
      const message = 'Encryption succeeded for data volumes';
      return {
        code: 'ProvisioningState/succeeded',
        displayStatus: 'Provisioning succeeded',
        level: 'Info',
        message,
        time,
      };
    }
  }
}

/** REQ-206, with the percentage of the volume that is under way. */
function progressText({ targets, last }: EncryptionViewInput): string {
  const volumes = last?.status.volumes ?? [];
  const done = targets.filter(({ target }) =>
    volumes.some(({ mountPoint, state }) => mountPoint === target && state === 'Encrypted'),
  ).length;
  const current = volumes.find(({ state }) => state === 'EncryptionInProgress');
  const percent = current === undefined ? '' : `: ${current.percent} %`;
  return `Encrypting data volume ${Math.min(done + 1, targets.length)}/${targets.length}${percent}`;
}

function componentStatus(status: AgentStatus | undefined, phase: Phase, time: string | null): InstanceStatus {
  const volumes = status?.volumes ?? [];
  const os = volumes.find(({ kind }) => kind === 'os')?.state ?? 'NotEncrypted';
  // REQ-201: while work is under way the operation is named.
  const operation = phase === 'waiting' || phase === 'working' ? { EncryptionOperation: 'EnableEncryption' } : {};
  const result = phase === 'failed' ? 'failed' : phase === 'done' ? 'succeeded' : 'transitioning';
  return {
    code: `ComponentStatus/${extension}/${result}`,
    displayStatus: phase === 'failed' ? 'Provisioning failed' : 'Provisioning succeeded',
    level: phase === 'failed' ? 'Error' : 'Info',
    message: JSON.stringify({ os, data: status === undefined ? 'Unknown' : dataState(volumes), ...operation }),
    time,
  };
}

function diskViews(input: EncryptionViewInput, volumes: readonly VolumeStatus[]): readonly DiskEncryptionView[] {
  const { vm } = input;
  const osVolume = volumes.find(({ kind }) => kind === 'os');
  const onDisks = vm.model.dataDisks.map((disk) => ({ disk, volume: volumes.find((one) => isOn(one, disk)) }));
  const placed = new Set(onDisks.map(({ volume }) => volume));
  // A volume whose disk is not known is shown under its own name rather than left out.
  const others = volumes.filter((volume) => volume.kind === 'data' && volume.secretId !== null && !placed.has(volume));
  return [
    diskView(input, osDiskName(vm), osVolume),
    ...onDisks.map(({ disk, volume }) => diskView(input, disk.name, volume)),
    ...others.map((volume) => diskView(input, volume.name, volume)),
  ];
}

function isOn(volume: VolumeStatus, disk: VmDataDisk): boolean {
  return volume.serial === disk.serial && volume.kind !== 'other';
}

function diskView(
  { vaultIdOf }: EncryptionViewInput,
  name: string,
  volume: VolumeStatus | undefined,
): DiskEncryptionView {
  const { secretId = null, kekId = null } = volume ?? {};
  const sourceVault = (id: string, collection: 'keys' | 'secrets'): object => ({
    id: vaultIdOf(id, collection) ?? null,
  });
  const settings = {
    enabled: true,
    diskEncryptionKey: {
      secretUrl: secretId,
      sourceVault: secretId === null ? null : sourceVault(secretId, 'secrets'),
    },
    keyEncryptionKey: kekId === null ? null : { keyUrl: kekId, sourceVault: sourceVault(kekId, 'keys') },
  };
  return {
    name,
    encryptionSettings: secretId === null ? null : [settings],
    statuses: [diskStatus(volume?.state)],
  };
}

function diskStatus(state: VolumeState | undefined): InstanceStatus {
  const status = (code: string, displayStatus: string): InstanceStatus => ({
    code: `EncryptionState/${code}`,
    displayStatus,
    level: 'Info',
    message: null,
    time: null,
  });
  switch (state) {
    case 'Encrypted':
    case 'Locked':
      return status('encrypted', 'Encryption is enabled on disk');
    case 'EncryptionInProgress':
      return status('encryptionInProgress', 'Encryption is in progress on disk');
    case 'DecryptionInProgress':
      return status('decryptionInProgress', 'Decryption is in progress on disk');
    case 'NotEncrypted':
    case 'NotMounted':
    case undefined:
      return status('notEncrypted', 'Encryption is not enabled on disk');
  }
}
