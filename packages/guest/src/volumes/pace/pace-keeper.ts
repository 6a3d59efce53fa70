import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError } from '@kannuki/core';
import { activeMapping } from '../mapping.ts';
import { BackOff } from './back-off.ts';
import type { PaceFile } from './pace-file.ts';
import { RateLimit } from './rate-limit.ts';
import { trafficOf, type VolumeTraffic } from './waiting.ts';

/** What a run does with a volume that its owner has paused: wait for the owner, or leave it and come back later. */
export type WhenPaused = 'wait' | 'leave';

interface PaceKeeperOptions {
  readonly volume: string;
  readonly file: PaceFile;
  readonly whenPaused: WhenPaused;
  readonly signal: AbortSignal | undefined;
}

const lookMilliseconds = 1000;

/**
 * Keeps the work on one volume to its pace. The work is done in runs of cryptsetup; this says when a run has to end and
 * when the next may begin.
 */
export class PaceKeeper {
  readonly #options: PaceKeeperOptions;
  readonly #backOff = new BackOff(performance.now());
  #limit: RateLimit | undefined;
  #lastBytes: number | undefined;
  #rest = 0;
  #reason: 'paused' | 'rate' | 'back-off' | undefined;

  constructor(options: PaceKeeperOptions) {
    this.#options = options;
  }

  /**
   * Waits until the next run may begin.
   * @throws KannukiError KNK-VOL-0012 when the volume is paused and is to be left, or the abort of the signal
   */
  async mayBegin(): Promise<void> {
    const { signal, whenPaused, volume, file } = this.#options;
    const before = await this.#traffic();
    if (this.#rest > 0) await sleep(this.#rest, undefined, { signal });
    if (this.#reason === 'back-off') this.#backOff.rested(before, await this.#traffic(), performance.now());
    this.#rest = 0;
    this.#reason = undefined;
    this.#lastBytes = undefined;
    while ((await file.read(volume)).paused) {
      if (whenPaused === 'leave') throw new KannukiError('KNK-VOL-0012', { details: { volume } });
      await sleep(lookMilliseconds, undefined, { signal });
    }
  }

  /**
   * One run, watched: `end` is aborted when it has to end early.
   * @param run gets the signal, and a function to call with the bytes that are done in all
   * @returns whether it was ended early
   */
  async watch(run: (end: AbortSignal, done: (bytes: number) => void) => Promise<void>): Promise<'ended' | 'stopped'> {
    const { signal } = this.#options;
    const stop = new AbortController();
    const over = new AbortController();
    const watching = this.#look(stop, over.signal);
    // Told when the run has ended; meanwhile it must not end this process.
    watching.catch(() => {});
    try {
      const end = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      await run(end, (bytes) => this.#done(bytes, stop));
    } finally {
      over.abort();
      await watching;
    }
    return stop.signal.aborted ? 'stopped' : 'ended';
  }

  #done(bytes: number, stop: AbortController): void {
    const worked = Math.max(0, bytes - (this.#lastBytes ?? bytes));
    this.#lastBytes = bytes;
    const rest = this.#limit?.worked(worked, performance.now()) ?? 0;
    if (rest > 0) this.#stop(stop, 'rate', rest);
  }

  async #look(stop: AbortController, over: AbortSignal): Promise<void> {
    while (!over.aborted && !stop.signal.aborted) {
      const { paused, maximumRate } = await this.#options.file.read(this.#options.volume);
      if (paused) this.#stop(stop, 'paused', 0);
      if (maximumRate === null) this.#limit = undefined;
      else if (this.#limit?.bytesPerSecond !== maximumRate) this.#limit = new RateLimit(maximumRate, performance.now());
      const rest = this.#backOff.look(await this.#traffic(), performance.now());
      if (rest > 0) this.#stop(stop, 'back-off', rest);
      await sleep(lookMilliseconds, undefined, { signal: over }).catch(() => {});
    }
  }

  #stop(stop: AbortController, reason: 'paused' | 'rate' | 'back-off', rest: number): void {
    if (stop.signal.aborted) return;
    this.#reason = reason;
    this.#rest = rest;
    stop.abort();
  }

  async #traffic(): Promise<VolumeTraffic | undefined> {
    const mapping = await activeMapping(this.#options.volume);
    return mapping === undefined ? undefined : trafficOf(mapping.kernelName);
  }
}
