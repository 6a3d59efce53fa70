import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError, type VolumeStatus } from '@kannuki/core';
import type { AgentEngine, EngineJournal, EngineProblem, EngineRequest, Outcome, VaultOf } from '@kannuki/guest';
import { type EscrowReceipt, escrowPassphrase, generatePassphrase, releasePassphrase } from '@kannuki/keyvault';

interface Volume {
  status: VolumeStatus;
  journal: (EngineJournal & { readonly receipt: EscrowReceipt }) | undefined;
}

const sizeBytes = 1024 ** 3;

/**
 * Volumes that are numbers in memory, encrypted at the pace of a test: for tests of the way between agent and server.
 * The escrow is real. What the real engine does to disks is tested in the lab.
 */
export class MemoryEngine implements AgentEngine {
  /** How long a whole volume takes, ms. */
  conversionMilliseconds = 600;
  /** The next `encrypt` fails with it, before anything is done. */
  refuseNext: KannukiError | undefined;
  readonly encryptions: { readonly target: string; readonly request: EngineRequest }[] = [];
  readonly #volumes = new Map<string, Volume>();

  constructor(mountPoints: readonly string[]) {
    for (const [index, mountPoint] of mountPoints.entries()) {
      const name = `sd${String.fromCharCode(97 + index)}`;
      const status = plainVolume(name, `data${index}`, mountPoint);
      this.#volumes.set(mountPoint, { status, journal: undefined });
    }
  }

  async list(): Promise<readonly VolumeStatus[]> {
    return [...this.#volumes.values()].map(({ status }) => status);
  }

  async journals(): Promise<readonly EngineJournal[]> {
    return [...this.#volumes.values()].flatMap(({ journal }) => (journal === undefined ? [] : [journal]));
  }

  /** Every volume here has a disk of its own. */
  async sideBySide<Result>(
    targets: readonly string[],
    action: (target: string) => Promise<Result>,
  ): Promise<readonly Outcome<Result>[]> {
    return Promise.all(
      targets.map((target) =>
        action(target).then(
          (result) => ({ target, result }),
          (error: unknown) => ({ target, error }),
        ),
      ),
    );
  }

  async leaveKeyVolume(): Promise<boolean> {
    return true;
  }

  async encrypt(target: string, request: EngineRequest): Promise<{ downtimeSeconds: number | null }> {
    this.encryptions.push({ target, request });
    const { refuseNext } = this;
    this.refuseNext = undefined;
    if (refuseNext !== undefined) throw refuseNext;
    const volume = this.#volume(target);
    using passphrase = generatePassphrase();
    const { vault, kekId, keyVolumeUuid } = request;
    const secretName = `escrow-of${target.replaceAll('/', '-')}`;
    const receipt = await escrowPassphrase(vault, { passphrase, secretName, kekId });
    volume.journal = {
      step: 'mapped',
      vaultUri: vault.vaultUri,
      point: target,
      downtimeSeconds: 0.4,
      receipt,
    };
    volume.status = {
      ...volume.status,
      state: 'EncryptionInProgress',
      keySource: keyVolumeUuid === null ? 'vault' : 'key-volume',
      secretId: receipt.secretId,
      kekId: receipt.kekId,
    };
    await this.#convert(volume, request.signal);
    return { downtimeSeconds: 0.4 };
  }

  async resume(
    vaultOf: VaultOf,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<readonly EngineProblem[]> {
    return this.#each(async (volume) => {
      if (volume.journal?.step !== 'mapped') return;
      using _passphrase = await releasePassphrase(await vaultOf(volume.journal.vaultUri), volume.journal.receipt);
      await this.#convert(volume, signal);
    });
  }

  async unlock(vaultOf: VaultOf): Promise<readonly EngineProblem[]> {
    return this.#each(async (volume) => {
      if (volume.status.state !== 'Locked' || volume.journal === undefined) return;
      using _passphrase = await releasePassphrase(await vaultOf(volume.journal.vaultUri), volume.journal.receipt);
      this.open(volume.status.mountPoint ?? '');
    });
  }

  /** As after a power cut: what was mapped is not open. */
  lockAll(): void {
    for (const volume of this.#volumes.values()) {
      if (volume.journal !== undefined) volume.status = { ...volume.status, state: 'Locked' };
    }
  }

  /** As systemd does with the key volume. */
  open(mountPoint: string): void {
    const volume = this.#volume(mountPoint);
    const state = volume.journal?.step === 'finished' ? 'Encrypted' : 'EncryptionInProgress';
    volume.status = { ...volume.status, state };
  }

  async #convert(volume: Volume, signal: AbortSignal): Promise<void> {
    const step = 10;
    for (let { percent } = volume.status; percent < 100; percent += step) {
      await sleep((this.conversionMilliseconds * step) / 100, undefined, { signal });
      const done = Math.min(100, percent + step);
      volume.status = { ...volume.status, percent: done, bytesDone: (sizeBytes * done) / 100 };
    }
    volume.status = { ...volume.status, state: 'Encrypted' };
    if (volume.journal !== undefined) volume.journal = { ...volume.journal, step: 'finished' };
  }

  async #each(action: (volume: Volume) => Promise<void>): Promise<readonly EngineProblem[]> {
    const problems: EngineProblem[] = [];
    for (const [point, volume] of this.#volumes) {
      try {
        await action(volume);
      } catch (error) {
        problems.push({ volume: volume.status.name, point, error });
      }
    }
    return problems;
  }

  #volume(target: string): Volume {
    const volume = this.#volumes.get(target);
    if (volume === undefined) throw new KannukiError('KNK-AGT-0010', { details: { target } });
    return volume;
  }
}

function plainVolume(name: string, serial: string, mountPoint: string): VolumeStatus {
  return {
    name,
    device: `/dev/${name}`,
    serial,
    fileSystem: 'ext4',
    mountPoint,
    sizeBytes,
    usedBytes: 4096,
    kind: 'data',
    state: 'NotEncrypted',
    percent: 0,
    bytesDone: 0,
    bytesTotal: sizeBytes,
    bytesPerSecond: null,
    etaSeconds: null,
    keySource: 'none',
    secretId: null,
    kekId: null,
  };
}
