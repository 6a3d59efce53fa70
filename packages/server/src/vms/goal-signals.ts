/** An agent waits once; more than this is one that has lost count, or wants to fill the server with connections. */
const maximumWaiting = 4;

/** Whether to look at the goal again, or to answer now because others of the same VM wait as well. */
export type Wake = 'look' | 'leave';

/** Wakes those who wait for a VM's goal to change. Only within this process: a client that saw its server end asks again. */
export class GoalSignals {
  readonly #waiting = new Map<string, Set<(wake: Wake) => void>>();

  wake(vmId: string): void {
    for (const wake of this.#waiting.get(vmId) ?? []) wake('look');
  }

  /** For the end of the server: every long poll is answered now. */
  wakeAll(): void {
    for (const vmId of this.#waiting.keys()) this.wake(vmId);
  }

  /**
   * Resolves at the next wake, at the end of the time, or when the signal says so. Of too many that wait for one VM the
   * oldest is told to leave.
   */
  wait(vmId: string, milliseconds: number, signal: AbortSignal): Promise<Wake> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(vmId) ?? new Set();
      const done = (wake: Wake): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', look);
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(vmId) === waiting) this.#waiting.delete(vmId);
        resolve(wake);
      };
      const look = (): void => done('look');
      const timer = setTimeout(look, milliseconds);
      const [oldest] = waiting;
      if (waiting.size >= maximumWaiting) oldest?.('leave');
      this.#waiting.set(vmId, waiting.add(done));
      if (signal.aborted) look();
      else signal.addEventListener('abort', look, { once: true });
    });
  }
}
