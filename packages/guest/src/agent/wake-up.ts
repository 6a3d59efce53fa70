/** A sleep that others can end: for loops that work when there is work and else look again after a while. */
export class WakeUp {
  #pending = false;
  #wake: (() => void) | undefined;

  /** Ends the sleep that is under way, or the next one before it begins. */
  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Resolves at a wake, at the end of the time, or when the signal aborts. */
  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(milliseconds, longestTimer));
      this.#wake = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#pending = false;
  }
}

/** setTimeout takes no more. */
const longestTimer = 2 ** 31 - 1;
