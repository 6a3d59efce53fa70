import type { AgentStatus } from '@kannuki/core';
import type { AgentPace, RunAgentOptions } from './agent-options.ts';
import type { AgentState } from './agent-state.ts';
import { Backoff } from './backoff.ts';
import type { WakeUp } from './wake-up.ts';

interface ReporterOptions extends RunAgentOptions {
  readonly state: AgentState;
  readonly pace: AgentPace;
  /** Woken when something changed. */
  readonly wakeUp: WakeUp;
}

/** Least time between two reports, however much happens. */
const leastMilliseconds = 200;

/** Tells the server what the kernel says now: often while work runs, at once when something changed, else seldom. */
export async function report(options: ReporterOptions): Promise<void> {
  const { client, state, pace, wakeUp, signal, onEvent } = options;
  const backoff = new Backoff(pace.retryFirst, pace.retryLongest);
  let lost = false;
  while (!signal.aborted) {
    try {
      await client.putStatus(await statusOf(options), signal);
      if (lost) onEvent?.({ kind: 'server-back' });
      lost = false;
      backoff.reset();
      await pause(leastMilliseconds, signal);
      await wakeUp.sleep(state.working ? pace.reportBusy : pace.reportIdle, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (!lost) onEvent?.({ kind: 'server-lost', error });
      lost = true;
      await pause(backoff.nextMilliseconds(), signal);
    }
  }
}

/** @returns what is true at this moment; nothing in it is remembered or wished for */
export async function statusOf({ engine, state, bootId }: ReporterOptions): Promise<AgentStatus> {
  // Taken before the look at the volumes, so that the status is never older than the goal that it names.
  const { generation } = state.goal;
  const volumes = await engine.list();
  const journals = await engine.journals();
  const downtimes = journals.flatMap(({ downtimeSeconds }) => (downtimeSeconds === null ? [] : [downtimeSeconds]));
  return {
    generation,
    bootId,
    volumes: volumes.slice(0, 256),
    problems: state.problems,
    downtimeSeconds: downtimes.length === 0 ? null : Math.max(...downtimes),
    unlocked: volumes.every((volume) => volume.state !== 'Locked') && (await engine.leaveKeyVolume()),
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}
