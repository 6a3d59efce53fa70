import type { VolumeGoal, VolumeStatus } from '@kannuki/core';
import { hasCode, KannukiError } from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';
import type { AgentPace, RunAgentOptions } from './agent-options.ts';
import type { AgentState } from './agent-state.ts';
import { Backoff } from './backoff.ts';
import { isRefusal, problemOf } from './problem.ts';
import type { WakeUp } from './wake-up.ts';

interface WorkerOptions extends RunAgentOptions {
  readonly state: AgentState;
  readonly pace: AgentPace;
  /** Woken by a new goal. */
  readonly wakeUp: WakeUp;
  /** Something changed that a status should tell soon. */
  readonly reportSoon: () => void;
}

/**
 * Brings volumes to what the goal wants: what is locked is opened, what was begun is ended, what is missing is begun.
 * A refusal waits for a new goal; anything else is tried again, less and less often. Needs the server only for keys.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #startedAt = performance.now();
  /** Generation in which a target was refused: the same question would get the same answer. */
  readonly #refusedIn = new Map<string, number>();

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { signal, pace, wakeUp, state, reportSoon } = this.#options;
    const backoff = new Backoff(pace.retryFirst, pace.retryLongest);
    while (!signal.aborted) {
      const { generation } = state.goal;
      const left = await this.#pass();
      state.working = false;
      reportSoon();
      if (left === 'nothing') backoff.reset();
      if (state.goal.generation !== generation) {
        backoff.reset();
        continue;
      }
      await wakeUp.sleep(left === 'nothing' ? pace.retryLongest : backoff.nextMilliseconds(), signal);
    }
  }

  /** One look at everything. @returns whether something is left to try again */
  async #pass(): Promise<'nothing' | 'something'> {
    const { signal, state } = this.#options;
    let left = false;
    let failed = false;
    for (const step of [() => this.#unlock(), () => this.#resume(), () => this.#encryptTargets()]) {
      if (signal.aborted) return 'something';
      try {
        left = (await step()) || left;
      } catch (error) {
        if (signal.aborted) return 'something';
        this.#problem('agent', error);
        failed = true;
      }
    }
    if (!failed) {
      state.clearProblem('agent');
      await this.#forgetSolved();
    }
    return left || failed ? 'something' : 'nothing';
  }

  /** A volume that is open and encrypted has no problem any more, whoever has solved it. */
  async #forgetSolved(): Promise<void> {
    for (const { mountPoint, state } of await this.#options.engine.list()) {
      if (state === 'Encrypted' && mountPoint !== null) this.#options.state.clearProblem(mountPoint);
    }
  }

  /** Volumes that should be open and are not: a boot without key volume, or one whose key volume did not help. */
  async #unlock(): Promise<boolean> {
    const { engine, pace } = this.#options;
    const locked = (await engine.list()).filter(({ state }) => state === 'Locked');
    if (locked.length === 0) return false;
    const graceIsOver = performance.now() - this.#startedAt >= pace.unlockGrace;
    if (!graceIsOver && locked.every(({ keySource }) => keySource === 'key-volume')) return true;
    return this.#tellProblems(await engine.unlock((vaultUri) => this.#vault(vaultUri)));
  }

  async #resume(): Promise<boolean> {
    const { engine, signal, state } = this.#options;
    const unfinished = (await engine.journals()).filter(({ step }) => step !== 'finished');
    if (unfinished.length === 0) return false;
    state.working = true;
    const problems = await engine.resume((vaultUri) => this.#vault(vaultUri), signal);
    const failed = new Set(problems.map(({ point }) => point));
    // A paused volume has no problem and is not done either.
    const left = new Set((await engine.journals()).filter(({ step }) => step !== 'finished').map(({ point }) => point));
    for (const { point } of unfinished) if (!failed.has(point) && !left.has(point)) this.#done(point);
    return this.#tellProblems(problems);
  }

  async #encryptTargets(): Promise<boolean> {
    const { engine, state, signal } = this.#options;
    const { generation, volumes } = state.goal;
    const goals = new Map(volumes.map((goal) => [goal.target, goal]));
    const outcomes = await engine.sideBySide([...goals.keys()], async (target) => {
      const goal = goals.get(target);
      if (goal === undefined || this.#refusedIn.get(target) === generation) return false;
      // A newer goal may want something else of those that have not begun.
      if (signal.aborted || state.goal.generation !== generation) return true;
      return this.#encrypt(goal, generation);
    });
    return outcomes.some((outcome) => !('result' in outcome) || outcome.result);
  }

  /** @returns whether it has to be tried again */
  async #encrypt(goal: VolumeGoal, generation: number): Promise<boolean> {
    const { engine, client, state, signal, reportSoon } = this.#options;
    const { target, kekId, stopServices } = goal;
    try {
      const volume = findTarget(await engine.list(), target);
      if (volume === undefined) {
        // Begun and not open: the other steps see to it, and tell what stands in their way.
        if ((await engine.journals()).some(({ point }) => point === target)) return true;
        throw new KannukiError('KNK-AGT-0010', { details: { target } });
      }
      if (volume.state === 'Encrypted') {
        state.clearProblem(target);
        return false;
      }
      // Locked or under way: the other steps see to it, and at this moment they could not.
      const isUnderWay = volume.state === 'EncryptionInProgress' || volume.state === 'DecryptionInProgress';
      if (volume.state === 'Locked' || isUnderWay) return true;
      state.working = true;
      reportSoon();
      const vault = client.vault(goal.vaultName, goal.vaultUri);
      const keyVolumeUuid = state.goal.keyVolume?.fileSystemUuid ?? null;
      await engine.encrypt(target, { vault, kekId, stopServices, keyVolumeUuid, signal });
      this.#done(target);
      return false;
    } catch (error) {
      // A pause is the owner's wish and no problem.
      if (signal.aborted || hasCode(error, 'KNK-VOL-0012')) return true;
      this.#problem(target, error);
      if (!isRefusal(error)) return true;
      this.#refusedIn.set(target, generation);
      return false;
    }
  }

  #done(target: string): void {
    this.#options.state.clearProblem(target);
    this.#options.onEvent?.({ kind: 'volume-done', target });
    this.#options.reportSoon();
  }

  #problem(target: string, error: unknown): void {
    this.#options.state.setProblem(problemOf(target, error));
    this.#options.onEvent?.({ kind: 'problem', target, error });
    this.#options.reportSoon();
  }

  #tellProblems(problems: readonly { readonly point: string; readonly error: unknown }[]): boolean {
    for (const { point, error } of problems) this.#problem(point, error);
    return problems.length > 0;
  }

  /** A vault's name is the first label of its host, as in every vault address, unless the goal has named it. */
  #vault(vaultUri: string): VaultPort {
    const { client, state } = this.#options;
    const named = state.goal.volumes.find((volume) => volume.vaultUri === vaultUri)?.vaultName;
    const label = URL.parse(vaultUri)?.hostname.split('.', 1)[0] ?? '';
    return client.vault(named ?? label, vaultUri);
  }
}

function findTarget(volumes: readonly VolumeStatus[], target: string): VolumeStatus | undefined {
  return volumes.find(({ mountPoint, device }) => mountPoint === target || device === target);
}
