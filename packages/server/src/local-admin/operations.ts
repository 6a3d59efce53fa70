import type { HostPort } from '@kannuki/host';
import type { SealableVaults } from '@kannuki/keyvault';
import type { GoalStore } from '../storage/goal-store.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import { keyShape, vaultResourceId, vaultShape } from '../vaults/vault-shape.ts';
import type { EncryptionService } from '../vms/encryption-service.ts';
import { type EncryptionViewInput, encryptionView, isEncryptionDone, problemsOf } from '../vms/encryption-view.ts';
import type { PowerService } from '../vms/power-service.ts';
import type { Vm, VmName } from '../vms/vm.ts';
import type { VmService, VmView } from '../vms/vm-service.ts';
import { vmShape } from '../vms/vm-shape.ts';
import type { AdminOperation, AdminOperations, AdminProgress } from './contract.ts';

export interface AdminDomain {
  readonly host: HostPort;
  readonly vms: VmService;
  readonly power: PowerService;
  readonly encryption: EncryptionService;
  readonly vaults: VaultService;
  readonly sealable: SealableVaults;
  readonly goals: GoalStore;
  readonly subscriptionId: string;
  readonly tenantId: string;
  /** Region of what names none. */
  readonly location: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface AdminCallContext {
  readonly progress: (progress: AdminProgress) => void;
  /** Aborts when the caller goes away or the server ends. */
  readonly signal: AbortSignal;
}

export type AdminHandlers = {
  readonly [Operation in AdminOperation]: (
    input: AdminOperations[Operation]['input'],
    context: AdminCallContext,
  ) => Promise<AdminOperations[Operation]['result']>;
};

/** From operations to the domain: nothing is decided here. */
export function adminHandlers(domain: AdminDomain): AdminHandlers {
  const { host, vms, power, encryption, vaults, sealable, goals, subscriptionId, location, now } = domain;
  const shapeOf = ({ vm, power: state }: VmView): object =>
    vmShape(subscriptionId, vm, state, goals.status(vm.id), now());
  const shapeOfVault = (name: string): object => vaultShape(domain, vaults.show(name), vaults.vaultUri(name));
  const afterPower = async (name: VmName, change: (vm: Vm) => Promise<VmView['power']>): Promise<object> => {
    const vm = vms.require(name);
    return shapeOf({ vm, power: await change(vm) });
  };
  const encryptionOf = (name: VmName): EncryptionViewInput => {
    const vm = vms.require(name);
    const vaultIdOf: EncryptionViewInput['vaultIdOf'] = (id, collection) => {
      const found = vaults.vaultOf(id, collection);
      return found === undefined ? undefined : vaultResourceId(subscriptionId, vaults.show(found.vault));
    };
    return {
      vm,
      request: goals.request(vm.id),
      targets: goals.goal(vm.id).volumes,
      last: goals.status(vm.id),
      vaultIdOf,
    };
  };

  return {
    'server-seal': async () => {
      await sealable.seal();
      return sealable.state();
    },
    'server-seal-status': () => sealable.state(),
    'keyvault-create': async (input) => {
      const vault = await vaults.create({ ...input, location: input.location ?? location });
      return shapeOfVault(vault.name);
    },
    'keyvault-list': async () => vaults.list().map(({ name }) => shapeOfVault(name)),
    'keyvault-show': async ({ name }) => shapeOfVault(name),
    'keyvault-key-create': async (input) => keyShape(await vaults.createKey(input)),
    'keyvault-key-list': async ({ vaultName }) => vaults.listKeys(vaultName).map(keyShape),
    'keyvault-key-show': async ({ vaultName, name }) => keyShape(await vaults.showKey(vaultName, name)),
    'image-build': ({ name, force }, { progress, signal }) =>
      host.buildImage(name, { force, signal, onProgress: progress }),
    'image-list': () => host.listImages(),
    'vm-create': async (input) => {
      const { findings, ...made } = await vms.create({ ...input, location: input.location ?? location });
      return { vm: shapeOf(made), findings };
    },
    'vm-list': async ({ resourceGroup }) => (await vms.list(resourceGroup ?? undefined)).map(shapeOf),
    'vm-show': async (name) => shapeOf(await vms.show(name)),
    'vm-start': (name) => afterPower(name, (vm) => power.start(vm)),
    'vm-stop': (name) => afterPower(name, (vm) => power.stop(vm)),
    'vm-restart': (name) => afterPower(name, (vm) => power.restart(vm)),
    'vm-delete': async (name) => {
      await vms.delete(name);
      return null;
    },
    'vm-ssh': async (name) => ({ arguments: await vms.sshArguments(name) }),
    'vm-console': async (name) => ({ path: vms.consolePath(name) }),
    'vm-encryption-enable': async (input) => ({ findings: await encryption.enable(vms.require(input), input) }),
    'vm-encryption-show': async (name) => encryptionView(encryptionOf(name)),
    'vm-encryption-progress': async (name) => {
      const input = encryptionOf(name);
      const volumes = input.last?.status.volumes ?? [];
      return { done: isEncryptionDone(input), volumes, problems: problemsOf(input) };
    },
  };
}
