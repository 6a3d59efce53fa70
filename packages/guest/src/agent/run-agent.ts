import { readFile } from 'node:fs/promises';
import { type AgentPace, defaultPace, type RunAgentOptions } from './agent-options.ts';
import { AgentState, noGoal } from './agent-state.ts';
import { Backoff } from './backoff.ts';
import { report } from './reporter.ts';
import { WakeUp } from './wake-up.ts';
import { Worker } from './worker.ts';

/**
 * The agent's life: takes goals, works on them, reports. Ends when the signal aborts; an encryption that is under way then is
 * left where it is, and the next start goes on with it. A server that is away stops nothing that has its keys.
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const pace: AgentPace = { ...defaultPace, ...options.pace };
  const state = new AgentState((await options.store.goal()) ?? noGoal);
  const workerWake = new WakeUp();
  const reportWake = new WakeUp();
  const reportSoon = (): void => reportWake.wake();
  const worker = new Worker({ ...options, state, pace, wakeUp: workerWake, reportSoon });
  await Promise.all([
    worker.run(),
    report({ ...options, state, pace, wakeUp: reportWake }),
    takeGoals({ ...options, state, pace, onGoal: () => [workerWake.wake(), reportWake.wake()] }),
    renew({ ...options, pace }),
  ]);
}

/** The kernel's own name for this boot. */
export async function currentBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

interface GoalOptions extends RunAgentOptions {
  readonly state: AgentState;
  readonly pace: AgentPace;
  readonly onGoal: () => void;
}

async function takeGoals({ client, store, state, pace, signal, onEvent, onGoal }: GoalOptions): Promise<void> {
  const backoff = new Backoff(pace.retryFirst, pace.retryLongest);
  const sleeping = new WakeUp();
  // 0 at first: a server that was set up anew counts from the beginning, and its goal is the one that counts.
  let known = 0;
  while (!signal.aborted) {
    try {
      const goal = await client.waitForGoal(known, undefined, signal);
      backoff.reset();
      if (goal === undefined) continue;
      await store.saveGoal(goal);
      known = goal.generation;
      state.goal = goal;
      onEvent?.({ kind: 'goal', generation: goal.generation, targets: goal.volumes.map(({ target }) => target) });
      onGoal();
    } catch {
      // The reporter tells of a server that is away; here it only means to ask later.
      await sleeping.sleep(backoff.nextMilliseconds(), signal);
    }
  }
}

async function renew({ client, pace, signal, onEvent }: RunAgentOptions & { readonly pace: AgentPace }): Promise<void> {
  const sleeping = new WakeUp();
  while (!signal.aborted) {
    try {
      if (await client.renewIfDue()) onEvent?.({ kind: 'certificate-renewed' });
    } catch (error) {
      // A third of the certificate's life is left for further tries.
      if (!signal.aborted) onEvent?.({ kind: 'server-lost', error });
    }
    await sleeping.sleep(pace.renewCheck, signal);
  }
}
