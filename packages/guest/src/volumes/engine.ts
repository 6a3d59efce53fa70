import { exitCodes, KannukiError, type Run, run as runProgram, type VolumeStatus } from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';
import { leaveKeyVolume } from '../boot/key-volume.ts';
import { type ChooseTuning, chooseTuning } from '../tuning/choose-tuning.ts';
import type { Cipher } from '../tuning/tuning.ts';
import type { StepContext } from './context.ts';
import { Cryptsetup } from './cryptsetup.ts';
import { advance } from './encryption.ts';
import { takeEngineLock } from './engine-lock.ts';
import { assertUsableKek } from './escrow-steps.ts';
import type { OnEngineEvent } from './events.ts';
import { type FinishingCheck, finishingCheck } from './finishing-check.ts';
import { isAtLeast, type Journal, JournalStore } from './journal.ts';
import { openAndMount } from './map-step.ts';
import { activeMapping } from './mapping.ts';
import { defaultPaths, type EnginePaths, headerPath } from './paths.ts';
import { type PlanRequest, planEncryption } from './planning.ts';
import { ProgressFile } from './progress-file.ts';
import { prepareOpen, settleOpen } from './recovery-guard.ts';
import { type RecoveryStep, recoverySteps } from './recovery-steps.ts';
import { listVolumes } from './status.ts';
import { isNamedBy, journalOf, type TestUnlockResult, testUnlock } from './test-unlock.ts';
import { undoBeforeInk } from './undo.ts';
import type { VaultOf } from './vault-of.ts';

export interface EngineOptions {
  readonly paths?: EnginePaths;
  readonly run?: Run;
  readonly onEvent?: OnEngineEvent;
  /** Runs right before a volume is unmounted, so that a program which owns it can close its files. */
  readonly beforeUnmount?: (point: string) => Promise<void>;
  readonly finishingCheck?: FinishingCheck;
  /** Default: a short measurement on this machine (chooseTuning). */
  readonly chooseTuning?: ChooseTuning;
}

export interface EncryptRequest {
  readonly vault: VaultPort;
  readonly kekId: string | null;
  /** How the vault is opened again after a reboot; default its own address. */
  readonly vaultAddress?: string;
  /** Stop units with open files for the unmount and start them again after the mount. */
  readonly stopServices: boolean;
  /** vfat id of the key volume that the host will attach at boot; null: the agent unlocks with the vault. */
  readonly keyVolumeUuid?: string | null;
  /** Default AES-256 in XTS. */
  readonly cipher?: Cipher;
  readonly signal?: AbortSignal;
}

/** A volume that could not be unlocked or finished, and why; the others went on. */
export interface VolumeProblem {
  readonly volume: string;
  readonly point: string;
  readonly error: unknown;
}

/**
 * Encrypts volumes in place while they are in use, and brings every unfinished one to its end after a power cut.
 * @example await new VolumeEngine().encrypt('/data0', { vault, kekId: null, stopServices: false });
 */
export class VolumeEngine {
  readonly #options: EngineOptions;
  readonly #paths: EnginePaths;
  readonly #run: Run;
  readonly #store: JournalStore;
  readonly #progressFile: ProgressFile;

  constructor(options: EngineOptions = {}) {
    this.#options = options;
    this.#paths = options.paths ?? defaultPaths;
    this.#run = options.run ?? runProgram;
    this.#store = new JournalStore(this.#paths);
    this.#progressFile = new ProgressFile(this.#paths.runtime);
  }

  journals(): Promise<readonly Journal[]> {
    return this.#store.list();
  }

  /** Every volume as the kernel and the headers say it now. Needs no lock and changes nothing. */
  async list(): Promise<readonly VolumeStatus[]> {
    return listVolumes({
      run: this.#run,
      paths: this.#paths,
      journals: await this.#store.list(),
      progressFile: this.#progressFile,
    });
  }

  /**
   * Encrypts one volume from the check to the last block. One that was begun before, and cut, goes on from where it stands,
   * with the vault that it was begun with.
   * @throws KannukiError KNK-VOL-0006 with all findings when a check refuses; then nothing has changed
   */
  async encrypt(target: string, request: EncryptRequest): Promise<Journal> {
    await using _lock = await takeEngineLock(this.#paths.runtime, this.#run);
    const { vault, kekId, stopServices, keyVolumeUuid = null } = request;
    const journals = await this.#store.list();
    const begun = unfinishedJournal(journals, target);
    if (begun !== undefined) {
      if (isSameAddress(begun.vaultUri, request.vaultAddress ?? vault.vaultUri))
        return await this.#goOn(begun, request);
      throw new KannukiError('KNK-VOL-0009', { details: { target, volume: begun.name } });
    }
    const parts = { vaultUri: request.vaultAddress ?? vault.vaultUri, kekId, stopServices, keyVolumeUuid, journals };
    const tuningOf: PlanRequest['tuningOf'] = (device) => this.#tuningOf(device, request.cipher);
    const journal = await planEncryption({ target, run: this.#run, tuningOf, ...parts });
    if (journals.some(({ name }) => name === journal.name)) {
      throw new KannukiError('KNK-VOL-0009', { details: { target, volume: journal.name } });
    }
    await assertUsableKek(request.vault, request.kekId);
    await this.#store.save(journal);
    this.#options.onEvent?.({ kind: 'step', volume: journal.name, step: journal.step });
    return await this.#advanceOrUndo(journal, this.#context(request.vault, request.signal), () => true);
  }

  /** Brings every unfinished volume to its end. Volumes that fail do not keep the others from it. */
  async resume(vaultOf: VaultOf, signal?: AbortSignal): Promise<readonly VolumeProblem[]> {
    await using _lock = await takeEngineLock(this.#paths.runtime, this.#run);
    const unfinished = (await this.#store.list()).filter(({ step }) => step !== 'finished');
    return await this.#eachVolume(unfinished, async (journal) =>
      this.#advanceOrUndo(
        journal,
        this.#context(await vaultOf(journal.vaultUri), signal),
        (error) => !isPassing(error),
      ),
    );
  }

  /**
   * Opens and mounts every volume that its journal calls encrypted and that is not open yet.
   * @param targets none: all of them
   * @throws KannukiError KNK-VOL-0007 for a target that is no encrypted volume
   */
  async unlock(vaultOf: VaultOf, targets: readonly string[] = []): Promise<readonly VolumeProblem[]> {
    await using _lock = await takeEngineLock(this.#paths.runtime, this.#run);
    const mapped = (await this.#store.list()).filter((journal) => isAtLeast(journal, 'entries-moved'));
    const chosen = targets.length === 0 ? mapped : targets.map((target) => journalOf(mapped, target));
    return await this.#eachVolume(chosen, async (journal) =>
      openAndMount(journal, this.#context(await vaultOf(journal.vaultUri), undefined)),
    );
  }

  /** Called by the boot before it unlocks a volume whose conversion is not over (recovery-guard.ts). Needs no vault. */
  async prepareUnlock(volume: string): Promise<void> {
    const { name, device } = journalOf(await this.#store.list(), volume);
    if ((await activeMapping(name)) !== undefined) return;
    const header = headerPath(this.#paths, name);
    await prepareOpen(header, device.sizeBytes);
    await (this.#options.finishingCheck ?? finishingCheck)(header, device.sizeBytes);
  }

  /** Called by the boot after it has unlocked the volume, before it mounts it. */
  async settleUnlock(volume: string): Promise<void> {
    const { name, device } = journalOf(await this.#store.list(), volume);
    await settleOpen(headerPath(this.#paths, name), device.path);
  }

  /** Call it when no volume is locked. @returns whether the host may take the key volume away */
  leaveKeyVolume(): Promise<boolean> {
    return leaveKeyVolume(this.#run);
  }

  /** Proves that the next boot would get its keys, volume by volume; changes nothing. */
  async testUnlock(vaultOf: VaultOf, targets: readonly string[]): Promise<readonly TestUnlockResult[]> {
    const journals = (await this.#store.list()).filter((journal) => isAtLeast(journal, 'entries-moved'));
    const contextOf = async (vaultUri: string): Promise<StepContext> =>
      this.#context(await vaultOf(vaultUri), undefined);
    return testUnlock(journals, targets, contextOf);
  }

  /** How to open a volume without Kannuki. @throws KannukiError KNK-VOL-0007 when the target is no encrypted volume */
  async recoverySteps(target: string): Promise<readonly RecoveryStep[]> {
    return recoverySteps(journalOf(await this.#store.list(), target), this.#paths);
  }

  async #tuningOf(device: Parameters<ChooseTuning>[0], cipher: Cipher | undefined): ReturnType<ChooseTuning> {
    const choose = this.#options.chooseTuning ?? chooseTuning;
    const chosen = await choose(device, {
      run: this.#run,
      paths: this.#paths,
      ...(cipher === undefined ? {} : { cipher }),
    });
    for (const finding of chosen.findings) this.#options.onEvent?.({ kind: 'finding', finding });
    return chosen;
  }

  async #goOn(journal: Journal, { vault, signal }: EncryptRequest): Promise<Journal> {
    const context = this.#context(vault, signal);
    if (isAtLeast(journal, 'mapped')) await openAndMount(journal, context);
    return await this.#advanceOrUndo(journal, context, (error) => !isPassing(error));
  }

  /** Before the first changed block a failure takes everything back; after it, only going on is safe. */
  async #advanceOrUndo(
    journal: Journal,
    context: StepContext,
    shouldUndo: (error: unknown) => boolean,
  ): Promise<Journal> {
    try {
      return await advance(journal, context);
    } catch (error) {
      const [current] = (await this.#store.list()).filter(({ name }) => name === journal.name);
      if (current !== undefined && !isAtLeast(current, 'mapped') && shouldUndo(error))
        await undoBeforeInk(current, context);
      throw error;
    }
  }

  async #eachVolume(
    journals: readonly Journal[],
    action: (journal: Journal) => Promise<unknown>,
  ): Promise<readonly VolumeProblem[]> {
    const problems: VolumeProblem[] = [];
    for (const journal of journals) {
      try {
        await action(journal);
      } catch (error) {
        problems.push({ volume: journal.name, point: journal.mount.point, error });
      }
    }
    return problems;
  }

  #context(vault: VaultPort, signal: AbortSignal | undefined): StepContext {
    return {
      paths: this.#paths,
      run: this.#run,
      cryptsetup: new Cryptsetup(this.#run),
      store: this.#store,
      vault,
      finishingCheck: this.#options.finishingCheck ?? finishingCheck,
      progressFile: this.#progressFile,
      onEvent: this.#options.onEvent ?? (() => {}),
      beforeUnmount: this.#options.beforeUnmount ?? (async () => {}),
      signal,
      opened: new Set(),
    };
  }
}

/** What a mount point, device or mapper name means, if an encryption of it was begun and is not over. */
function unfinishedJournal(journals: readonly Journal[], target: string): Journal | undefined {
  const unfinished = journals.filter(({ step }) => step !== 'finished');
  return unfinished.find((journal) => isNamedBy(journal, target));
}

function isSameAddress(left: string, right: string): boolean {
  return left.replace(/\/$/, '') === right.replace(/\/$/, '');
}

/** A vault that cannot be reached now will be reached later: no reason to take a begun encryption back. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof KannukiError && [exitCodes.unavailable, exitCodes.tryAgain].some((code) => code === error.exitCode)
  );
}
