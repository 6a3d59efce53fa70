import {
  type Finding,
  hasCode,
  isRefused,
  KannukiError,
  type Run,
  run as runProgram,
  type VolumeStatus,
} from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';
import { leaveKeyVolume, passphraseOnKeyVolume } from '../boot/key-volume.ts';
import { chooseTuning } from '../tuning/choose-tuning.ts';
import { advanceOrTakeBack, isPassing } from './advance.ts';
import type { StepContext } from './context.ts';
import { Cryptsetup } from './cryptsetup.ts';
import { tellingDiskTrouble } from './disk-trouble.ts';
import { disksOfTarget } from './disks-below.ts';
import type {
  EncryptionJob,
  EncryptRequest,
  EngineOptions,
  JournalSummary,
  PacedVolume,
  VolumeProblem,
} from './engine-types.ts';
import { summaryOf } from './engine-types.ts';
import { finishingCheck } from './finishing-check.ts';
import { headerPlace } from './header-place.ts';
import { assertNotGrown, assertSameContent, assertSameDevice } from './identity.ts';
import { isFinished, type Journal } from './journal.ts';
import { JournalStore } from './journal-store.ts';
import { type HeldLock, Locks } from './locks.ts';
import { activeMapping } from './mapping.ts';
import { inPlace } from './operations/encrypt/begin.ts';
import type { Encryption, Operation, PlanRequest } from './operations/operation.ts';
import { PaceFile, type PaceSetting } from './pace/pace-file.ts';
import { defaultPaths, type EnginePaths } from './paths.ts';
import { mapIfPlain } from './plain-mapping.ts';
import { isMapped, isOpenedAtBoot } from './plans.ts';
import { ProgressFile } from './progress-file.ts';
import { prepareOpen, settleOpen } from './recovery-guard.ts';
import { type RecoveryStep, recoverySteps } from './recovery-steps.ts';
import { assertOwnHeaderOnDisk, assertRightDisk } from './right-disk.ts';
import { type Job, type Outcome, sideBySide } from './side-by-side.ts';
import { listVolumes } from './status.ts';
import { assertUsableKek } from './steps/escrow.ts';
import { openAndEnter } from './steps/map.ts';
import { isNamedBy, journalOf, type TestUnlockResult, testUnlock } from './test-unlock.ts';
import { useOf } from './uses/uses.ts';
import { noVault, type VaultOf } from './vault-of.ts';

/**
 * Encrypts volumes in place while they are in use, and brings every unfinished operation to its end after a power cut.
 * @example await new VolumeEngine().encrypt('/data0', { vault, kekId: null, stopServices: false });
 */
export class VolumeEngine {
  readonly #options: EngineOptions;
  readonly #paths: EnginePaths;
  readonly #run: Run;
  readonly #store: JournalStore;
  readonly #locks: Locks;
  readonly #progressFile: ProgressFile;
  readonly #pace: PaceFile;

  constructor(options: EngineOptions = {}) {
    this.#options = options;
    this.#paths = options.paths ?? defaultPaths;
    this.#run = options.run ?? runProgram;
    this.#store = new JournalStore(this.#paths);
    this.#locks = new Locks(this.#paths.runtime, this.#run);
    this.#progressFile = new ProgressFile(this.#paths.runtime);
    this.#pace = new PaceFile(this.#paths);
  }

  /** What is on record of each volume of ours. */
  async journals(): Promise<readonly JournalSummary[]> {
    return (await this.#store.list()).map(summaryOf);
  }

  /** The volume that a target means, when it has been begun or encrypted before. */
  async begun(target: string): Promise<JournalSummary | undefined> {
    const journal = (await this.#store.list()).find((candidate) => isNamedBy(candidate, target));
    return journal === undefined ? undefined : summaryOf(journal);
  }

  /** Every volume as the kernel and the headers say it now. Needs no lock and changes nothing. */
  async list(): Promise<readonly VolumeStatus[]> {
    return listVolumes({
      run: this.#run,
      paths: this.#paths,
      journals: await this.#store.list(),
      progressFile: this.#progressFile,
      pace: this.#pace,
    });
  }

  /**
   * Encrypts one volume from the check to the last block. One that was begun before, and cut, goes on from where it stands,
   * with the vault that it was begun with.
   * @throws KannukiError KNK-VOL-0006 with all findings when a check refuses; then nothing has changed
   */
  encrypt(target: string, request: EncryptRequest, way: Encryption = inPlace): Promise<Journal> {
    return tellingDiskTrouble(() => this.#encrypt(target, request, way));
  }

  async #encrypt(target: string, request: EncryptRequest, way: Encryption): Promise<Journal> {
    const vaultUri = request.vaultAddress ?? request.vault.vaultUri;
    const begun = (await this.#store.list()).find((journal) => !isFinished(journal) && isNamedBy(journal, target));
    if (begun !== undefined) {
      const { name, operation } = begun;
      if (![way.operation, ...(way.alsoGoesOnWith ?? [])].includes(operation)) {
        throw new KannukiError('KNK-VOL-0010', { details: { target, operation } });
      }
      if (!isSameAddress(begun.vaultUri, vaultUri)) {
        throw new KannukiError('KNK-VOL-0009', { details: { target, volume: name } });
      }
      await using lock = await this.#locks.volume(begun.name);
      return await this.#goOn(begun.name, this.#context(request.vault, lock, request.signal));
    }
    const { journal, lock } = await this.#beginEncryption(target, request, way);
    await using _lock = lock;
    this.#tellStep(journal);
    return await advanceOrTakeBack(journal, this.#context(request.vault, lock, request.signal), () => true);
  }

  /**
   * Encrypts several volumes: all are checked before the first is begun, then they go side by side where their disks allow.
   * @throws KannukiError KNK-VOL-0006 with the findings of all when one is refused; then nothing has changed
   */
  async encryptAll(jobs: readonly EncryptionJob[]): Promise<readonly Outcome<Journal>[]> {
    if (jobs.length > 1) await this.#checkAll(jobs);
    const jobOf = new Map(jobs.map((job) => [job.target, job]));
    return this.sideBySide([...jobOf.keys()], async (target) => {
      const job = jobOf.get(target);
      if (job === undefined) throw new KannukiError('KNK-VOL-0007', { details: { target } });
      return this.encrypt(target, job.request, job.way);
    });
  }

  /** Does something for several volumes: at the same time where they lie on different disks, else one after the other. */
  async sideBySide<Result>(
    targets: readonly string[],
    action: (target: string) => Promise<Result>,
  ): Promise<readonly Outcome<Result>[]> {
    return sideBySide(await this.#jobs(targets), action);
  }

  /** The same of several volumes that are encrypted; see `operate`. */
  async operateAll(
    targets: readonly string[],
    operation: Operation,
    vaultOf: VaultOf,
    signal?: AbortSignal,
  ): Promise<readonly Outcome<Journal>[]> {
    return this.sideBySide(targets, (target) => this.operate(target, operation, vaultOf, signal));
  }

  /** Sets how fast volumes may be worked on; what is left out stays. A run that works on one notices within seconds. */
  async setPace(targets: readonly string[], change: Partial<PaceSetting>): Promise<readonly PacedVolume[]> {
    const journals = await this.#store.list();
    const chosen = targets.length === 0 ? journals : targets.map((target) => journalOf(journals, target));
    return Promise.all(
      chosen.map(async ({ name }) => {
        const setting = { ...(await this.#pace.read(name)), ...change };
        await this.#pace.write(name, setting);
        return { volume: name, ...setting };
      }),
    );
  }

  /**
   * Does something to a volume that is encrypted, from the check to the end. An operation that was begun before, and cut, goes
   * on from where it stands.
   * @throws KannukiError KNK-VOL-0007 when the target is no encrypted volume, 0010 while another operation on it is not over, and
   * what the check of the operation throws; then nothing has changed
   */
  operate(target: string, operation: Operation, vaultOf: VaultOf, signal?: AbortSignal): Promise<Journal> {
    return tellingDiskTrouble(() => this.#operate(target, operation, vaultOf, signal));
  }

  async #operate(target: string, operation: Operation, vaultOf: VaultOf, signal?: AbortSignal): Promise<Journal> {
    const { name, vaultUri } = journalOf(await this.#store.list(), target);
    await using lock = await this.#locks.volume(name);
    const context = this.#context(vaultUri === '' ? noVault : await vaultOf(vaultUri), lock, signal);
    const journal = journalOf(await this.#store.list(), name);
    if (!isFinished(journal)) {
      if (journal.operation === operation.name) return await this.#goOn(name, context);
      throw new KannukiError('KNK-VOL-0010', { details: { target, operation: journal.operation } });
    }
    await assertNotGrown(journal, this.#run);
    const begun: Journal = { ...(await operation.begin(journal, context)), operation: operation.name, step: 'planned' };
    await this.#store.save(begun);
    this.#tellStep(begun);
    return await advanceOrTakeBack(begun, context, () => true);
  }

  /** Brings every unfinished operation to its end. Volumes that fail do not keep the others from it. */
  async resume(vaultOf: VaultOf, signal?: AbortSignal): Promise<readonly VolumeProblem[]> {
    const unfinished = (await this.#store.list()).filter((journal) => !isFinished(journal));
    return await this.#eachVolume(unfinished, async (current, lock) => {
      if (isFinished(current)) return;
      const { vaultUri } = current;
      const context = this.#context(vaultUri === '' ? noVault : await vaultOf(vaultUri), lock, signal);
      await advanceOrTakeBack(current, context, (error) => !isPassing(error, signal));
    });
  }

  /**
   * Opens every volume that the boot should have opened and that is not open yet, and takes it into use.
   * @param targets none: all of them
   * @throws KannukiError KNK-VOL-0007 for a target that is no encrypted volume
   */
  async unlock(vaultOf: VaultOf, targets: readonly string[] = []): Promise<readonly VolumeProblem[]> {
    const opened = (await this.#store.list()).filter((journal) => isOpenedAtBoot(journal));
    const chosen = targets.length === 0 ? opened : targets.map((target) => journalOf(opened, target));
    return await this.#eachVolume(chosen, async (journal, lock) => {
      if (!isOpenedAtBoot(journal)) return;
      await openAndEnter(journal, this.#context(await vaultOf(journal.vaultUri), lock, undefined));
    });
  }

  /** Called by the boot before it unlocks a volume whose conversion is not over (recovery-guard.ts). Needs no vault. */
  async prepareUnlock(volume: string): Promise<void> {
    const { name } = journalOf(await this.#store.list(), volume);
    if ((await activeMapping(name)) !== undefined) return;
    // An agent may be about to open it too, with a passphrase from the vault: then it is the agent's.
    await using _lock = await this.#locks.volume(name);
    const journal = journalOf(await this.#store.list(), name);
    if ((await activeMapping(name)) !== undefined) return;
    await assertSameDevice(journal, this.#run);
    await assertOwnHeaderOnDisk(journal);
    await prepareOpen(journal, this.#paths);
    const header = headerPlace(journal, this.#paths);
    await (this.#options.finishingCheck ?? finishingCheck)(header, journal.device.sizeBytes);
    using passphrase = await passphraseOnKeyVolume(journal);
    if (passphrase !== undefined) await assertRightDisk(journal, passphrase, { run: this.#run, paths: this.#paths });
    // cryptsetup, which comes next, finds the mapping there and is content.
    if (isOpenedAtBoot(journal)) await mapIfPlain(journal, header, this.#run);
  }

  /** Called by the boot after it has unlocked the volume, before it mounts it. */
  async settleUnlock(volume: string): Promise<void> {
    const journal = journalOf(await this.#store.list(), volume);
    await settleOpen(journal, this.#paths);
    // With another disk below nothing is mounted: the unlock fails, and the boot takes the mapping away.
    await assertSameContent(journal, this.#run);
  }

  /** Call it when no volume is locked. @returns whether the host may take the key volume away */
  leaveKeyVolume(): Promise<boolean> {
    return leaveKeyVolume(this.#run);
  }

  /** Proves that the next boot would get its keys, volume by volume; changes nothing. */
  async testUnlock(vaultOf: VaultOf, targets: readonly string[]): Promise<readonly TestUnlockResult[]> {
    const journals = (await this.#store.list()).filter((journal) => isOpenedAtBoot(journal));
    const contextOf = async (vaultUri: string): Promise<StepContext> =>
      this.#context(await vaultOf(vaultUri), undefined, undefined);
    return testUnlock(journals, targets, contextOf);
  }

  /** How to open a volume without Kannuki. @throws KannukiError KNK-VOL-0007 when the target is no encrypted volume */
  async recoverySteps(target: string): Promise<readonly RecoveryStep[]> {
    return recoverySteps(journalOf(await this.#store.list(), target), this.#paths);
  }

  /** Checks, chooses names that no other volume has, and puts the plan on record. */
  async #beginEncryption(
    target: string,
    request: EncryptRequest,
    way: Encryption,
  ): Promise<{ readonly journal: Journal; readonly lock: HeldLock }> {
    await using _shared = await this.#locks.shared();
    const journals = await this.#store.list();
    const journal = await way.plan({ target, ...this.#planParts(request), journals });
    if (journals.some(({ name }) => name === journal.name)) {
      throw new KannukiError('KNK-VOL-0009', { details: { target, volume: journal.name } });
    }
    const lock = await this.#locks.volume(journal.name);
    try {
      await assertUsableKek(request.vault, request.kekId);
      await this.#pace.write(journal.name, { paused: false, maximumRate: request.maximumRate ?? null });
      await this.#store.save(journal);
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
    return { journal, lock };
  }

  /** An operation that was cut goes on, in the same command, where it stands now. */
  async #goOn(name: string, context: StepContext): Promise<Journal> {
    const journal = journalOf(await this.#store.list(), name);
    if (isMapped(journal)) await openAndEnter(journal, context);
    return await advanceOrTakeBack(journal, context, (error) => !isPassing(error, context.signal));
  }

  async #eachVolume(
    journals: readonly Journal[],
    action: (journal: Journal, lock: HeldLock) => Promise<unknown>,
  ): Promise<readonly VolumeProblem[]> {
    const outcomes = await this.sideBySide(
      journals.map(({ name }) => name),
      async (name) => {
        await using lock = await this.#locks.volume(name);
        // As it is now: another run may have had the volume until this moment.
        const current = await this.#store.find(name);
        if (current !== undefined) await tellingDiskTrouble(() => action(current, lock));
      },
    );
    return outcomes.flatMap((outcome) => {
      // A pause is the owner's wish and no problem.
      if (!('error' in outcome) || hasCode(outcome.error, 'KNK-VOL-0012')) return [];
      const { target: volume, error } = outcome;
      return [{ volume, point: useOf(journalOf(journals, volume)).name, error }];
    });
  }

  async #jobs(targets: readonly string[]): Promise<readonly Job[]> {
    const journals = await this.#store.list();
    return Promise.all(
      targets.map(async (target) => ({ target, disks: await disksOfTarget(target, journals, this.#run) })),
    );
  }

  async #checkAll(jobs: readonly EncryptionJob[]): Promise<void> {
    const journals = await this.#store.list();
    const findings: Finding[] = [];
    for (const { target, request, way } of jobs) {
      if (journals.some((journal) => !isFinished(journal) && isNamedBy(journal, target))) continue;
      try {
        await way.plan({ target, ...this.#planParts(request), journals });
      } catch (error) {
        if (!hasCode(error, 'KNK-VOL-0006')) throw error;
        findings.push(...error.findings);
      }
    }
    if (isRefused(findings)) {
      throw new KannukiError('KNK-VOL-0006', {
        details: { target: jobs.map(({ target }) => target).join(', ') },
        findings,
      });
    }
  }

  #planParts(request: EncryptRequest): Omit<PlanRequest, 'target' | 'journals'> {
    const { vault, vaultAddress, kekId, stopServices, keyVolumeUuid = null, cipher } = request;
    const choose = this.#options.chooseTuning ?? chooseTuning;
    return {
      run: this.#run,
      vaultUri: vaultAddress ?? vault.vaultUri,
      kekId,
      stopServices,
      keyVolumeUuid,
      tuningOf: async (device) => {
        const parts = { run: this.#run, paths: this.#paths, ...(cipher === undefined ? {} : { cipher }) };
        const chosen = await choose(device, parts);
        for (const finding of chosen.findings) this.#options.onEvent?.({ kind: 'finding', finding });
        return chosen;
      },
    };
  }

  #tellStep({ name: volume, operation, step }: Journal): void {
    this.#options.onEvent?.({ kind: 'step', volume, operation, step });
  }

  #context(vault: VaultPort, lock: HeldLock | undefined, signal: AbortSignal | undefined): StepContext {
    return {
      paths: this.#paths,
      run: this.#run,
      cryptsetup: new Cryptsetup(this.#run),
      store: this.#store,
      locks: this.#locks,
      lock: lock?.descriptor ?? null,
      vault,
      finishingCheck: this.#options.finishingCheck ?? finishingCheck,
      progressFile: this.#progressFile,
      pace: this.#pace,
      whenPaused: this.#options.whenPaused ?? 'wait',
      onEvent: this.#options.onEvent ?? (() => {}),
      beforeUnmount: this.#options.beforeUnmount ?? (async () => {}),
      signal,
      opened: new Set(),
    };
  }
}

function isSameAddress(left: string, right: string): boolean {
  return left.replace(/\/$/, '') === right.replace(/\/$/, '');
}
