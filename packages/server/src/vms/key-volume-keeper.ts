import type { AgentStatus } from '@kannuki/core';
import type { HostPort } from '@kannuki/host';
import type { AttachedKeyVolume, KeyVolumeStore } from '../storage/key-volume-store.ts';
import type { VmStore } from '../storage/vm-store.ts';
import type { SerialWork } from './serial-work.ts';

export interface KeyVolumeKeeperOptions {
  readonly host: HostPort;
  readonly vms: VmStore;
  readonly attached: KeyVolumeStore;
  readonly serial: SerialWork;
  readonly now: () => number;
  /** How long a key volume may stay when no agent says that it is no longer needed. */
  readonly longestSeconds: number;
  readonly onFailure: (vmId: string, error: unknown) => void;
}

const sweepMilliseconds = 2000;

/**
 * Takes key volumes away from VMs: when the agent of the new boot says that all is open, and at the latest when their
 * time is over. What is attached is on record, so that a restart of the server forgets none.
 */
export class KeyVolumeKeeper {
  readonly #options: KeyVolumeKeeperOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: KeyVolumeKeeperOptions) {
    this.#options = options;
  }

  /** Call it before the host is told to attach. @param bootBefore boot id that the agent told last */
  announce(vmId: string, bootBefore: string | null): void {
    const { attached, now, longestSeconds } = this.#options;
    attached.put({ vmId, bootBefore, detachBy: now() + longestSeconds * 1000 });
  }

  /** The VM is off, so nothing is attached any more. */
  forget(vmId: string): void {
    this.#options.attached.remove(vmId);
  }

  /** Looks whether this status means that the key volume has done its work. */
  async onStatus(vmId: string, status: AgentStatus): Promise<void> {
    const entry = this.#options.attached.get(vmId);
    if (entry === undefined || !status.unlocked || status.bootId === entry.bootBefore) return;
    await this.#detach(entry);
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), sweepMilliseconds);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes away what is over its time. Never throws: a failure is told and tried again at the next sweep. */
  async sweep(): Promise<void> {
    const due = this.#options.attached.list().filter(({ detachBy }) => detachBy <= this.#options.now());
    await Promise.all(due.map((entry) => this.#detach(entry)));
  }

  async #detach(entry: AttachedKeyVolume): Promise<void> {
    const { host, vms, attached, serial, onFailure } = this.#options;
    try {
      await serial.run(entry.vmId, async () => {
        const current = attached.get(entry.vmId);
        const vm = vms.byId(entry.vmId);
        // A start that came in between has announced another one.
        if (vm === undefined || current === undefined || current.detachBy !== entry.detachBy) return;
        if ((await host.status(vm.hostName)).keyVolumeAttached) await host.detachKeyVolume(vm.hostName);
        attached.remove(entry.vmId);
      });
    } catch (error) {
      onFailure(entry.vmId, error);
    }
  }
}
