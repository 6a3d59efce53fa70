import { randomUUID } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import type { HostPort, VmEvent } from '@kannuki/host';
import type { SealableVaults } from '@kannuki/keyvault';
import { type SupportRules, supportRules } from '@kannuki/support';
import type { ServerConfig } from './config/server-config.ts';
import type { DataPaths } from './data-directory.ts';
import type { OnFailure } from './http/error-reply.ts';
import { Authority } from './identity/authority.ts';
import { Enrollment } from './identity/enrollment.ts';
import { FailedJoins } from './identity/failed-joins.ts';
import { JoinTokens } from './identity/join-tokens.ts';
import { CertificateStore } from './storage/certificate-store.ts';
import { ServerDatabase } from './storage/database.ts';
import { GoalStore } from './storage/goal-store.ts';
import { JoinTokenStore } from './storage/join-token-store.ts';
import { KeyVolumeStore } from './storage/key-volume-store.ts';
import { OwnershipStore } from './storage/ownership-store.ts';
import { SettingsStore } from './storage/settings-store.ts';
import { VaultRegistryStore } from './storage/vault-registry-store.ts';
import { VmStore } from './storage/vm-store.ts';
import { openSealableVaults } from './vaults/open-sealable-vaults.ts';
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
  readonly vmStore: VmStore;
  readonly goals: GoalStore;
  readonly ownership: OwnershipStore;
  readonly vaults: VaultService;
  /** What is below `vaults`: sealed or open. */
  readonly sealable: SealableVaults;
  readonly vms: VmService;
  readonly power: PowerService;
  readonly encryption: EncryptionService;
  readonly keyVolumes: KeyVolumeKeeper;
  readonly signals: GoalSignals;
  readonly subscriptionId: string;
  readonly tenantId: string;
  close(): Promise<void>;
}

/** Opens the databases of a data folder, making what is missing, and puts right what a crash has left. */
export async function openDomain(options: DomainOptions): Promise<Domain> {
  const { paths, config, host, now } = options;
  const database = await ServerDatabase.open(paths.database);
  let sealable: SealableVaults | undefined;
  try {
    const settings = new SettingsStore(database);
    const authority = await openAuthority(paths, settings);
    sealable = await openSealableVaults(paths, config);
    const domain = assemble(options, {
      database,
      settings,
      authority,
      sealable,
      rules: supportRules(config.additions),
    });
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
      rules: SupportRules;
    },
  ): Domain {
    const { authority, rules } = parts;
    const vmStore = new VmStore(database);
    const goals = new GoalStore(database);
    const ownership = new OwnershipStore(database);
    const certificates = new CertificateStore(database);
    const tokens = new JoinTokens(new JoinTokenStore(database), authority.fingerprint);
    const vaults = new VaultService(parts.sealable, new VaultRegistryStore(database), now);
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
      now,
      provision: () => ({ serverUrl: serverUrlForVms(), authority: authority.certificate }),
      tokenLifeSeconds: config.joinTokenSeconds,
    });
    return {
      host,
      location: config.location,
      now,
      settings: parts.settings,
      authority,
      enrollment: new Enrollment({ database, authority, tokens, certificates, failedJoins: new FailedJoins(), now }),
      vmStore,
      goals,
      ownership,
      vaults,
      sealable: parts.sealable,
      vms: new VmService({ vms: vmStore, host, power, serial, rules, now }),
      power,
      encryption: new EncryptionService({ database, goals, ownership, vaults, signals, rules, now }),
      keyVolumes,
      signals,
      subscriptionId: idFrom(parts.settings, 'subscription-id'),
      tenantId: idFrom(parts.settings, 'tenant-id'),
      async close() {
        keyVolumes.stop();
        await serial.idle();
        await parts.sealable.close();
        database.close();
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
