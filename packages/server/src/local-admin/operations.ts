import { randomUUID } from 'node:crypto';
import { vaultResourceId } from '@kannuki/core';
import type { HostPort } from '@kannuki/host';
import type { AuditQuery, SealableVaults } from '@kannuki/keyvault';
import type { BackUpReport } from '../backup/back-up.ts';
import type { Identity } from '../identity/identity.ts';
import type { ArmServices } from '../resources/arm/arm-services.ts';
import type { GoalStore } from '../storage/goal-store.ts';
import type { SealableAudit } from '../vaults/sealable-audit.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import { keyShape, vaultShape } from '../vaults/vault-shape.ts';
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
  readonly arm: Pick<ArmServices, 'registry' | 'groups'>;
  /** What follows a vault's name in the addresses of clients, with port. */
  readonly vaultSuffix: () => string;
  readonly sealable: SealableVaults;
  readonly backUp: (directory: string) => Promise<BackUpReport>;
  readonly goals: GoalStore;
  readonly identity: Identity;
  readonly audit: SealableAudit;
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
  const { principals } = domain.identity;
  const { host, vms, power, encryption, vaults, sealable, goals, audit, subscriptionId, location, now } = domain;
  const shapeOf = ({ vm, power: state }: VmView): object =>
    vmShape(subscriptionId, vm, state, goals.status(vm.id), now());
  const { groups, registry } = domain.arm;
  const shapeOfVault = (name: string): object => {
    const vault = vaults.show(name);
    return { ...vaultShape(domain, vault, domain.vaultSuffix()), resourceGroup: vault.resourceGroup };
  };
  const afterPower = async (name: VmName, change: (vm: Vm) => Promise<VmView['power']>): Promise<object> => {
    const vm = vms.require(name);
    return shapeOf({ vm, power: await change(vm) });
  };
  const encryptionOf = (name: VmName): EncryptionViewInput => {
    const vm = vms.require(name);
    const vaultIdOf: EncryptionViewInput['vaultIdOf'] = (id, collection) => {
      const found = vaults.vaultOf(id, collection);
      return found === undefined
        ? undefined
        : vaultResourceId(subscriptionId, vaults.show(found.vault).resourceGroup, found.vault);
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
    'server-backup': ({ directory }) => domain.backUp(directory),
    'server-seal': async () => {
      await sealable.seal();
      await audit.close();
      return sealable.state();
    },
    'server-seal-status': () => sealable.state(),
    'keyvault-create': async (input) => {
      const { name, sku, enabledForDiskEncryption } = input;
      const place = input.location ?? location;
      // Commands name a group without having made it.
      const group = groups.ensure(input.resourceGroup, place);
      const wanted = { name, resourceGroup: group.name, location: place };
      await registry.create(wanted, { sku, enabledForDiskEncryption }, () => void groups.require(group.name));
      return shapeOfVault(name);
    },
    'keyvault-list': async () => vaults.list().map(({ name }) => shapeOfVault(name)),
    'keyvault-show': async ({ name }) => shapeOfVault(name),
    'keyvault-key-create': async (input) => {
      const made = await vaults.createKey(input);
      await audit.append({
        time: now(),
        requestId: randomUUID(),
        operation: 'KeyCreate',
        vault: input.vaultName,
        object: new URL(made.id).pathname.slice(1),
        objectId: 'local-administrator',
        applicationId: null,
        address: 'local',
        status: 200,
        error: null,
      });
      return keyShape(made);
    },
    'keyvault-key-list': async ({ vaultName }) => vaults.listKeys(vaultName).map(keyShape),
    'keyvault-key-show': async ({ vaultName, name }) => keyShape(await vaults.showKey(vaultName, name)),
    'ad-sp-create': async ({ displayName }) => ({ ...(await principals.create(displayName)), tenant: domain.tenantId }),
    'ad-sp-list': async () =>
      principals.list().map((one) => ({
        appId: one.appId,
        id: one.objectId,
        displayName: one.displayName,
        servicePrincipalType: one.kind === 'application' ? ('Application' as const) : ('ManagedIdentity' as const),
        accountEnabled: one.enabled,
        createdDateTime: new Date(one.createdAt).toISOString(),
      })),
    'ad-sp-delete': async ({ id }) => {
      principals.delete(id);
      return null;
    },
    'ad-sp-reset': async ({ id }) => ({ ...(await principals.reset(id)), tenant: domain.tenantId }),
    'ad-sp-add-certificate': async ({ id, certificate }) => ({
      thumbprint: principals.addCertificate(id, certificate),
    }),
    'image-build': ({ name, force }, { progress, signal }) =>
      host.buildImage(name, { force, signal, onProgress: progress }),
    'image-list': () => host.listImages(),
    'vm-create': async (input) => {
      const place = input.location ?? location;
      groups.ensure(input.resourceGroup, place);
      const { findings, ...made } = await vms.create({ ...input, location: place });
      // Whoever deleted the group meanwhile has not seen this VM.
      groups.ensure(input.resourceGroup, place);
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
    'audit-list': ({ limit, ...filters }) => {
      const given = Object.entries(filters).filter(([, value]) => value !== null);
      return audit.read({ limit, ...(Object.fromEntries(given) as Partial<AuditQuery>) });
    },
    'audit-verify': () => audit.verify(),
  };
}
