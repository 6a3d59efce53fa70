import { KannukiError, run } from '@kannuki/core';
import { type EngineOptions, openGuestVault, plainTuning, VolumeEngine } from '@kannuki/guest';
import type { OpenVault, VaultPort } from '@kannuki/keyvault';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../power-cut/files.ts';
import type { Operation } from '../power-cut/operations/operation.ts';
import { operationNamed } from '../power-cut/operations.ts';
import { Random } from '../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  closeMapping,
  dataMountPoint,
  enterDataInFstab,
  leaveData,
  makeFileSystems,
  mountedDataDevice,
  mountFromFstab,
  type SmallVm,
} from '../power-cut/small-vm.ts';

/**
 * Inside a lab machine: one volume with files, on which operations are done one after the other, each of which leaves the volume
 * as the next one wants it. So one machine has room for many faults.
 */
export interface FaultVmInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string;
}

/** What was seen right after a try of an operation, with the fault still there. */
export interface Attempt {
  readonly operation: string;
  /** Where the fault struck, in words. */
  readonly where: string;
  /** Code of the error that the operation ended with; null: it came to its end all the same. */
  readonly code: string | null;
  readonly message: string;
  /** Step of the journal afterwards; null: there is none. */
  readonly step: string | null;
  readonly isMounted: boolean;
  readonly damaged: readonly string[];
}

/** What was seen once an operation had come to its end and the volume had been closed and opened again. */
export interface Ending {
  readonly operation: string;
  readonly wrongs: readonly string[];
}

/** Made before every fault; format.ts counts them. */
const fileCount = 24;
const fileBytes = 128 * 1024;

export class FaultVm {
  readonly #input: FaultVmInput;
  #vault: OpenVault | undefined;
  #promised: readonly PromisedFile[];

  private constructor(input: FaultVmInput, promised: readonly PromisedFile[]) {
    this.#input = input;
    this.#promised = promised;
  }

  static async make(input: FaultVmInput): Promise<FaultVm> {
    await attachPartitions(input.vm, false);
    await makeFileSystems('ext4');
    await bootState();
    await enterDataInFstab('ext4');
    const random = new Random(47);
    const promised: PromisedFile[] = [];
    for (let index = 0; index < fileCount; index++) {
      promised.push(await writePromised(`${dataMountPoint}/old`, `f${index}`, fileContent(random, fileBytes)));
    }
    return new FaultVm(input, promised);
  }

  /** The boot of a machine whose volume was made by an earlier one. */
  static async boot(input: FaultVmInput, promised: readonly PromisedFile[]): Promise<FaultVm> {
    await attachPartitions(input.vm, false);
    await run('e2fsck', ['-p', '/dev/mapper/vm-state'], { accept: [0, 1] });
    await bootState();
    const vm = new FaultVm(input, promised);
    await vm.unlockAndMount();
    return vm;
  }

  get promised(): readonly PromisedFile[] {
    return this.#promised;
  }

  /** What the boot does. @returns what went wrong with the unlock */
  async unlockAndMount(): Promise<readonly string[]> {
    const vault = await this.vault();
    const problems = await new VolumeEngine().unlock(() => vault);
    if (mountedDataDevice() === undefined) await mountFromFstab();
    return problems.map(({ error }) => String(error));
  }

  async vault(): Promise<VaultPort> {
    this.#vault ??= await openGuestVault(this.#input.vaultUrl);
    return this.#vault;
  }

  /** Only one process has the vault's database at a time: this lets another one have it. */
  async closeVault(): Promise<void> {
    await this.#vault?.[Symbol.asyncDispose]();
    this.#vault = undefined;
  }

  /** Brings the volume to where an operation begins, without any fault: encrypted, or plain. */
  async prepareFor(name: string): Promise<void> {
    const isEncrypted = (await new VolumeEngine().journals()).length > 0;
    const wantsEncrypted = name === 'decrypt' || name.startsWith('rotate-');
    if (isEncrypted === wantsEncrypted) return;
    const { code, message } = await this.attempt(isEncrypted ? 'decrypt' : 'encrypt', () => 'preparation');
    if (code !== null) throw new Error(message);
  }

  /** Does an operation, or goes on with it, and looks at the volume when it has ended, well or not. */
  async attempt(
    name: string,
    where: () => string,
    { vault, ...options }: EngineOptions & { readonly vault?: VaultPort } = {},
  ): Promise<Attempt> {
    const error = await this.#work(operationNamed(name), vault ?? (await this.vault()), options);
    const seen = await this.look();
    return { operation: name, where: where(), ...describe(error), ...seen };
  }

  /** @returns what it ended with; undefined: well */
  async #work(operation: Operation, vault: VaultPort, options: EngineOptions): Promise<unknown> {
    try {
      await operation.work(this.#world(vault, options));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async look(): Promise<Pick<Attempt, 'step' | 'isMounted' | 'damaged'>> {
    const [journal] = await new VolumeEngine().journals();
    const isMounted = mountedDataDevice() !== undefined;
    return { step: journal?.step ?? null, isMounted, damaged: damagedFiles(this.#promised) };
  }

  /** Nothing is promised any more: the volume is made anew. */
  forgetFiles(): void {
    this.#promised = [];
  }

  /** Closes the volume, as a shutdown does, looks at its file system, opens and mounts it as the boot does, and judges all. */
  async judgeEnding(name: string): Promise<Ending> {
    const operation = operationNamed(name);
    const wrongs: string[] = [];
    const device = mountedDataDevice();
    if (device === undefined) return { operation: name, wrongs: ['the volume is not mounted'] };
    await run('umount', [dataMountPoint]);
    const { exitCode, stdout } = await run('e2fsck', ['-f', '-n', device], { accept: [0, 1, 2, 4, 8] });
    if (exitCode !== 0) wrongs.push(`e2fsck: ${stdout.slice(-300)}`);
    const mapper = /^\/dev\/mapper\/(?!vm-)(.*)$/.exec(device)?.[1];
    if (mapper !== undefined) await closeMapping(mapper);
    wrongs.push(...(await this.unlockAndMount()));
    const engine = new VolumeEngine();
    const vault = await this.vault();
    wrongs.push(...damagedFiles(this.#promised).map((path) => `${path} is damaged`));
    const [journal] = await engine.journals();
    if (journal !== undefined && journal.step !== 'finished') wrongs.push(`the journal is at ${journal.step}`);
    const volume = (await engine.list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
    const { states } = operation.end(journal ?? null);
    const state = volume?.state ?? 'NotMounted';
    if (!states.includes(state)) wrongs.push(`its state is ${state}`);
    wrongs.push(...((await operation.wrongs?.(this.#world(vault, {}))) ?? []));
    return { operation: name, wrongs };
  }

  async leave(): Promise<void> {
    await leaveData();
  }

  #world(vault: VaultPort, options: EngineOptions) {
    return {
      fileSystem: 'ext4' as const,
      point: dataMountPoint,
      vault,
      kekId: this.#input.kekId,
      engine: new VolumeEngine({
        chooseTuning: async () => ({ tuning: plainTuning(4096), findings: [] }),
        ...options,
      }),
      mark: async () => {},
      forgetFiles: async () => {},
    };
  }
}

/** An error of the catalogue by its code; of any other what it is, which no test takes for a clear one. */
export function describe(error: unknown): Pick<Attempt, 'code' | 'message'> {
  if (error === undefined) return { code: null, message: '' };
  if (error instanceof KannukiError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: 'no error at all', message: JSON.stringify(error) };
  const { code = error.name } = error as NodeJS.ErrnoException;
  return { code: `not ours: ${code}`, message: error.stack ?? error.message };
}
