import type { HostPort, ProvisionFiles, VmStatus } from '@kannuki/host';
import type { AuditPort } from '@kannuki/keyvault';
import type { JoinTokens } from '../identity/join-tokens.ts';
import type { CertificateStore } from '../storage/certificate-store.ts';
import type { GoalStore } from '../storage/goal-store.ts';
import type { OwnershipStore } from '../storage/ownership-store.ts';
import type { VaultService } from '../vaults/vault-service.ts';
import { keyVolumeImage } from './key-volume-image.ts';
import type { KeyVolumeKeeper } from './key-volume-keeper.ts';
import { releaseKeys } from './released-keys.ts';
import type { SerialWork } from './serial-work.ts';
import type { Vm } from './vm.ts';

export interface PowerServiceOptions {
  readonly host: HostPort;
  readonly vaults: VaultService;
  readonly ownership: OwnershipStore;
  readonly goals: GoalStore;
  readonly certificates: CertificateStore;
  readonly tokens: JoinTokens;
  readonly keyVolumes: KeyVolumeKeeper;
  readonly serial: SerialWork;
  readonly audit: AuditPort;
  /** Address of this server as VMs see it, and the PEM of its authority. */
  readonly provision: () => { readonly serverUrl: string; readonly authority: string };
  readonly tokenLifeSeconds: number;
  readonly now: () => number;
}

const shutdownSeconds = 90;
/** A certificate with less than this left is not relied upon: the VM gets a new token at its start. */
const leastCertificateMilliseconds = 3600 * 1000;

/** Starts and stops VMs, and hands each one that starts its keys and what it has to know. */
export class PowerService {
  readonly #options: PowerServiceOptions;

  constructor(options: PowerServiceOptions) {
    this.#options = options;
  }

  /** Nothing happens to a VM that runs. @throws KannukiError where a passphrase cannot be had: then it stays off */
  start(vm: Vm): Promise<VmStatus> {
    return this.#options.serial.run(vm.id, () => this.#start(vm));
  }

  /** Nothing happens to a VM that is off. */
  stop(vm: Vm): Promise<VmStatus> {
    return this.#options.serial.run(vm.id, () => this.#stop(vm));
  }

  /** Off and on again, so that the new boot gets its key volume. */
  restart(vm: Vm): Promise<VmStatus> {
    return this.#options.serial.run(vm.id, async () => {
      await this.#stop(vm);
      return this.#start(vm);
    });
  }

  /**
   * The VM boots anew in the same process, by its own reboot: it looks for its key volume again, so it gets one.
   * The boot waits for the disk; should this come too late, the agent opens the volumes with the vault.
   */
  afterReset(vm: Vm): Promise<void> {
    return this.#options.serial.run(vm.id, async () => {
      const { host, goals, keyVolumes } = this.#options;
      if ((await host.status(vm.hostName)).power === 'stopped') return;
      using keyVolume = await this.#keyVolume(vm);
      if (keyVolume === undefined) return;
      keyVolumes.announce(vm.id, goals.status(vm.id)?.status.bootId ?? null);
      if (!(await host.status(vm.hostName)).keyVolumeAttached) await host.attachKeyVolume(vm.hostName, keyVolume);
    });
  }

  /** The VM went off by itself, and its key volume with it. */
  afterStop(vm: Vm): Promise<void> {
    return this.#options.serial.run(vm.id, async () => {
      // A start that came in between has announced another one.
      if ((await this.#options.host.status(vm.hostName)).power === 'stopped') this.#options.keyVolumes.forget(vm.id);
    });
  }

  async #start(vm: Vm): Promise<VmStatus> {
    const { host, goals, keyVolumes } = this.#options;
    const before = await host.status(vm.hostName);
    if (before.power !== 'stopped') return before;
    const provision = this.#provision(vm);
    using keyVolume = await this.#keyVolume(vm);
    if (keyVolume === undefined) {
      keyVolumes.forget(vm.id);
      return await host.start(vm.hostName, { provision });
    }
    keyVolumes.announce(vm.id, goals.status(vm.id)?.status.bootId ?? null);
    try {
      return await host.start(vm.hostName, { provision, keyVolume });
    } catch (error) {
      if ((await host.status(vm.hostName)).power === 'stopped') keyVolumes.forget(vm.id);
      throw error;
    }
  }

  async #stop(vm: Vm): Promise<VmStatus> {
    const { host, keyVolumes } = this.#options;
    if ((await host.status(vm.hostName)).power !== 'stopped') {
      await host.stop(vm.hostName, { timeoutSeconds: shutdownSeconds });
    }
    keyVolumes.forget(vm.id);
    return host.status(vm.hostName);
  }

  async #keyVolume(vm: Vm): Promise<Awaited<ReturnType<typeof keyVolumeImage>> | undefined> {
    const files = await releaseKeys(vm.id, this.#options);
    try {
      return files.length === 0 ? undefined : keyVolumeImage(vm.keyVolumeId, files);
    } finally {
      for (const { content } of files) content[Symbol.dispose]();
    }
  }

  #provision(vm: Vm): ProvisionFiles {
    const { certificates, tokens, tokenLifeSeconds, now } = this.#options;
    const { serverUrl, authority } = this.#options.provision();
    const files = { 'server-url': serverUrl, 'authority.pem': authority };
    if (certificates.hasLive(vm.id, now() + leastCertificateMilliseconds)) return files;
    return { ...files, 'join-token': tokens.issue(vm.id, tokenLifeSeconds, now()) };
  }
}
