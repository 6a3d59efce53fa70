import type { VmStatus } from '@kannuki/host';
import type { StoredStatus } from '../storage/goal-store.ts';
import type { Vm } from './vm.ts';

/** Ids as Azure Resource Manager writes them. */
export function vmResourceId(subscriptionId: string, vm: Pick<Vm, 'resourceGroup' | 'name'>): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${vm.resourceGroup}/providers/Microsoft.Compute/virtualMachines/${vm.name}`;
}

/** What `az vm show -d` prints, as far as it means something here; what is ours is under `kannuki`. */
export function vmShape(
  subscriptionId: string,
  vm: Vm,
  power: VmStatus,
  last: StoredStatus | undefined,
  now: number,
): object {
  const isCurrent = last !== undefined && speaksOfNow(last, power, now);
  const { model } = vm;
  const [publisher, offer, sku, version] = model.imageUrn.split(':');
  return {
    id: vmResourceId(subscriptionId, vm),
    name: vm.name,
    type: 'Microsoft.Compute/virtualMachines',
    location: model.location,
    resourceGroup: vm.resourceGroup,
    zones: model.zone === null ? null : [model.zone],
    vmId: vm.id,
    timeCreated: new Date(vm.createdAt).toISOString(),
    provisioningState: 'Succeeded',
    powerState: powerText[power.power],
    hardwareProfile: { vmSize: model.size },
    storageProfile: {
      imageReference: { publisher, offer, sku, version },
      osDisk: { name: osDiskName(vm), osType: 'Linux', createOption: 'FromImage' },
      dataDisks: model.dataDisks.map(({ lun, name, sizeGb }) => ({
        lun,
        name,
        diskSizeGb: sizeGb,
        createOption: 'Empty',
      })),
    },
    kannuki: {
      hostName: vm.hostName,
      accelerator: power.accelerator,
      sshPort: power.sshPort,
      keyVolumeAttached: power.keyVolumeAttached,
      startedAt: power.startedAt,
      statusAt: last === undefined ? null : new Date(last.receivedAt).toISOString(),
      bootId: last?.status.bootId ?? null,
      /** False: what follows is what was last known, of a VM that is off, boots, or cannot reach the server. */
      statusIsCurrent: isCurrent,
      unlocked: isCurrent ? last.status.unlocked : null,
      downtimeSeconds: last?.status.downtimeSeconds ?? null,
      volumes: last?.status.volumes ?? [],
      problems: last?.status.problems ?? [],
    },
  };
}

/** Said by the process that runs now, and not long ago: an agent reports at least every quarter of a minute. */
function speaksOfNow({ receivedAt }: StoredStatus, { power, startedAt }: VmStatus, now: number): boolean {
  if (power !== 'running' || startedAt === null) return false;
  return receivedAt >= Date.parse(startedAt) && now - receivedAt < staleMilliseconds;
}

const staleMilliseconds = 60_000;

export function osDiskName(vm: Pick<Vm, 'name'>): string {
  return `${vm.name}_OsDisk`;
}

const powerText = { running: 'VM running', paused: 'VM paused', stopped: 'VM deallocated' } as const;
