/** Wakes those who wait for a VM's goal to change. Only within this process: a client that saw its server end asks again. */
export class GoalSignals {
  readonly #waiting = new Map<string, Set<() => void>>();

  wake(vmId: string): void {
    for (const wake of this.#waiting.get(vmId) ?? []) wake();
  }

  /** For the end of the server: every long poll is answered now. */
  wakeAll(): void {
    for (const vmId of this.#waiting.keys()) this.wake(vmId);
  }

  /** Resolves at the next wake, at the end of the time, or when the signal says so; it does not tell which. */
  wait(vmId: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(vmId) ?? new Set();
      this.#waiting.set(vmId, waiting);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(vmId) === waiting) this.#waiting.delete(vmId);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      waiting.add(done);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done, { once: true });
    });
  }
}
