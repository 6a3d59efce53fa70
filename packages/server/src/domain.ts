import { randomUUID } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import type { HostPort, VmEvent } from '@kannuki/host';
import { defaultDnsSuffix, type SealableVaults } from '@kannuki/keyvault';
import { DataPlane } from '@kannuki/keyvault/rest/data-plane';
import { azureLimits } from '@kannuki/keyvault/rest/throttle';
import type { DataPlanePort } from '@kannuki/keyvault/service/data-plane-call';
import { type SupportRules, supportRules } from '@kannuki/support';
import { type BackUpReport, backUp } from './backup/back-up.ts';
import type { ServerConfig } from './config/server-config.ts';
import type { DataPaths } from './data-directory.ts';
import type { OnFailure } from './http/error-reply.ts';
import { Authority } from './identity/authority.ts';
import { Enrollment } from './identity/enrollment.ts';
import { FailedJoins } from './identity/failed-joins.ts';
import { Identity } from './identity/identity.ts';
import { JoinTokens } from './identity/join-tokens.ts';
import { defaultServerNames } from './identity/server-certificate.ts';
import type { ArmServices } from './resources/arm/arm-services.ts';
import { openManagement } from './resources/management.ts';
import { CertificateStore } from './storage/certificate-store.ts';
import { ServerDatabase } from './storage/database.ts';
import { GoalStore } from './storage/goal-store.ts';
import { JoinTokenStore } from './storage/join-token-store.ts';
import { KeyVolumeStore } from './storage/key-volume-store.ts';
import { OwnershipStore } from './storage/ownership-store.ts';
import { SettingsStore } from './storage/settings-store.ts';
import { VmStore } from './storage/vm-store.ts';
import { openSealableVaults } from './vaults/open-sealable-vaults.ts';
import { SealableAudit } from './vaults/sealable-audit.ts';
import { VaultUpkeep } from './vaults/upkeep.ts';
import { VaultService } from './vaults/vault-service.ts';
import { EncryptionService } from './vms/encryption-service.ts';
import { GoalSignals } from './vms/goal-signals.ts';
import { KeyVolumeKeeper } from './vms/key-volume-keeper.ts';
import { PowerService } from './vms/power-service.ts';
import { SerialWork } from './vms/serial-work.ts';
import { VmService } from './vms/vm-service.ts';

export interface DomainOptions {
  readonly paths: DataPaths;
  readonly config: ServerConfig;
  readonly host: HostPort;
  /** How VMs of the host reach this server; known once it listens. */
  readonly serverUrlForVms: () => string;
  readonly onFailure: OnFailure;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Everything that the faces of the server share, put together. There is no HTTP below here. */
export interface Domain {
  readonly host: HostPort;
  /** Region of what names none. */
  readonly location: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly settings: SettingsStore;
  readonly authority: Authority;
  readonly enrollment: Enrollment;
  readonly identity: Identity;
  readonly vmStore: VmStore;
  readonly goals: GoalStore;
  readonly ownership: OwnershipStore;
  readonly vaults: VaultService;
  /** What is below `vaults`: sealed or open. */
  readonly sealable: SealableVaults;
  /** Copies everything but the root key and the VMs to a new folder, given by its absolute path. */
  readonly backUp: (directory: string) => Promise<BackUpReport>;
  readonly vms: VmService;
  readonly power: PowerService;
  readonly encryption: EncryptionService;
  readonly keyVolumes: KeyVolumeKeeper;
  readonly signals: GoalSignals;
  readonly audit: SealableAudit;
  /** The management plane of vaults, resource groups and roles. */
  readonly arm: ArmServices;
  readonly dataPlane: DataPlanePort;
  /** What follows a vault's name in its address, without port. */
  readonly vaultDnsSuffix: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  close(): Promise<void>;
}

/** Opens the databases of a data folder, making what is missing, and puts right what a crash has left. */
export async function openDomain(options: DomainOptions): Promise<Domain> {
  const { paths, config, host, now } = options;
  const database = await ServerDatabase.open(paths.database);
  let sealable: SealableVaults | undefined;
  let audit: SealableAudit | undefined;
  try {
    const settings = new SettingsStore(database);
    const authority = await openAuthority(paths, settings);
    sealable = await openSealableVaults(paths, config, now);
    audit = new SealableAudit({ paths, sealable, onFailure: options.onFailure });
    await audit.openWhereUnsealed();
    const domain = assemble(options, {
      database,
      settings,
      authority,
      sealable,
      audit,
      rules: supportRules(config.additions),
    });
    await domain.upkeep.run();
    await domain.arm.operations.resume();
    domain.upkeep.start();
    await domain.vms.recover();
    // What should have been taken away while no server ran.
    await domain.keyVolumes.sweep();
    domain.keyVolumes.start();
    const watching = await host.watch((event) => void onVmEvent(domain, event, options.onFailure));
    return {
      ...domain,
      async close() {
        watching[Symbol.dispose]();
        await domain.close();
      },
    };
  } catch (error) {
    await audit?.close();
    await sealable?.close();
    database.close();
    throw error;
  }

  function assemble(
    { serverUrlForVms, onFailure }: DomainOptions,
    parts: {
      database: ServerDatabase;
      settings: SettingsStore;
      authority: Authority;
      sealable: SealableVaults;
      audit: SealableAudit;
      rules: SupportRules;
    },
  ): Domain & { readonly upkeep: VaultUpkeep } {
    const { authority, rules, settings } = parts;
    const subscriptionId = idFrom(settings, 'subscription-id');
    const tenantId = idFrom(settings, 'tenant-id');
    const vmStore = new VmStore(database);
    const goals = new GoalStore(database);
    const ownership = new OwnershipStore(database);
    const certificates = new CertificateStore(database);
    const tokens = new JoinTokens(new JoinTokenStore(database), authority.fingerprint);
    const { arm, access } = openManagement({
      database,
      vmStore,
      vaults: parts.sealable,
      subscriptionId,
      tenantId,
      location: config.location,
      hasKeyModule: config.pkcs11 !== undefined,
      now,
      onFailure,
    });
    const vaults = new VaultService(parts.sealable, arm.registry, config.vaultDnsSuffix);
    const upkeep = new VaultUpkeep({
      sealable: parts.sealable,
      registry: arm.registry,
      audit: parts.audit,
      now,
      onFailure,
    });
    const serial = new SerialWork();
    const signals = new GoalSignals();
    const keyVolumes = new KeyVolumeKeeper({
      host,
      vms: vmStore,
      attached: new KeyVolumeStore(database),
      serial,
      now,
      longestSeconds: config.keyVolumeSeconds,
      onFailure: (vmId, error) => onFailure({ trace: randomUUID(), what: `detach the key volume of ${vmId}`, error }),
    });
    const power = new PowerService({
      host,
      vaults,
      ownership,
      goals,
      certificates,
      tokens,
      keyVolumes,
      serial,
      audit: parts.audit,
      now,
      provision: () => ({ serverUrl: serverUrlForVms(), authority: authority.certificate }),
      tokenLifeSeconds: config.joinTokenSeconds,
    });
    const identity = new Identity({
      database,
      settings: parts.settings,
      authority,
      now,
      serverNames: [...defaultServerNames(), ...config.names],
      vaultDnsSuffixes: [config.vaultDnsSuffix, defaultDnsSuffix],
      tokenSeconds: config.tokenSeconds,
      onFailure,
    });
    return {
      host,
      location: config.location,
      now,
      settings: parts.settings,
      authority,
      enrollment: new Enrollment({ database, authority, tokens, certificates, failedJoins: new FailedJoins(), now }),
      identity,
      vmStore,
      goals,
      ownership,
      vaults,
      sealable: parts.sealable,
      backUp: (directory) => backUp({ paths, database, sealable: parts.sealable }, directory),
      vms: new VmService({ vms: vmStore, host, power, serial, rules, now }),
      power,
      encryption: new EncryptionService({ database, goals, ownership, vaults, signals, rules, now }),
      keyVolumes,
      signals,
      audit: parts.audit,
      arm,
      dataPlane: new DataPlane({
        objects: (name) => parts.sealable.vaults().vault(name),
        access,
        audit: parts.audit,
        throttle: config.throttle ? azureLimits : null,
        now,
      }),
      upkeep,
      vaultDnsSuffix: config.vaultDnsSuffix,
      subscriptionId,
      tenantId,
      async close() {
        keyVolumes.stop();
        await upkeep.stop();
        await arm.operations.idle();
        await serial.idle();
        await identity.close();
        try {
          await parts.audit.close();
        } finally {
          await parts.sealable.close();
          database.close();
        }
      },
    };
  }
}

/** What VMs do by themselves. Never throws: there is nobody to answer to. */
async function onVmEvent({ vmStore, power }: Domain, event: VmEvent, onFailure: OnFailure): Promise<void> {
  try {
    const vm = vmStore.byHostName(event.name);
    if (vm === undefined || vm.state !== 'ready') return;
    await (event.kind === 'reset' ? power.afterReset(vm) : power.afterStop(vm));
  } catch (error) {
    onFailure({ trace: randomUUID(), what: `${event.kind} of ${event.name}`, error });
  }
}

/** A folder whose authority was exchanged would turn every VM away: better not to start. */
async function openAuthority(paths: DataPaths, settings: SettingsStore): Promise<Authority> {
  const authority = await Authority.open(paths.authority);
  const known = settings.get('authority-fingerprint');
  if (known === undefined) settings.set('authority-fingerprint', authority.fingerprint);
  else if (known !== authority.fingerprint) {
    const reason = 'it is not the authority that this data folder was made with';
    throw new KannukiError('KNK-SRV-0021', { details: { file: authority.certificateFile, reason } });
  }
  return authority;
}

function idFrom(settings: SettingsStore, name: 'subscription-id' | 'tenant-id'): string {
  const known = settings.get(name);
  if (known !== undefined) return known;
  const id = randomUUID();
  settings.set(name, id);
  return id;
}
