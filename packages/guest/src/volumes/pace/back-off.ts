import { meanWait, type VolumeTraffic } from './waiting.ts';

export interface BackOffLimits {
  /** A mean wait above it is one that people notice, ms. */
  readonly noticeable: number;
  /** So many looks in a row have to show it, so that one burst of writes does not stop the work. */
  readonly looks: number;
  /** How long the work rests, ms. */
  readonly rest: number;
  /** The work runs at least so long between two rests, ms: it has to end some day. */
  readonly leastRun: number;
  /** How long nobody is blamed after a rest that brought nothing, ms. */
  readonly pardon: number;
}

/** At most half of the time is spent resting. */
export const usualLimits: BackOffLimits = {
  noticeable: 100,
  looks: 3,
  rest: 5000,
  leastRun: 5000,
  pardon: 60_000,
};

/**
 * Decides when the conversion steps back because the machine's own programs wait for the volume. It is blamed only when they
 * waited less while it rested: a disk that is slow without it is not its doing, and resting would help no one.
 */
export class BackOff {
  readonly #limits: BackOffLimits;
  #last: { readonly traffic: VolumeTraffic; readonly at: number } | undefined;
  #slowLooks = 0;
  #waitAtRest = 0;
  #runningSince: number;
  #pardonedUntil = 0;

  constructor(now: number, limits: BackOffLimits = usualLimits) {
    this.#limits = limits;
    this.#runningSince = now;
  }

  /** A look while the work runs. @returns ms that it has to rest now; 0: it may go on */
  look(traffic: VolumeTraffic | undefined, now: number): number {
    const last = this.#last;
    this.#last = traffic === undefined ? undefined : { traffic, at: now };
    const wait = last === undefined || traffic === undefined ? undefined : meanWait(last.traffic, traffic);
    this.#slowLooks = wait !== undefined && wait > this.#limits.noticeable ? this.#slowLooks + 1 : 0;
    if (this.#slowLooks < this.#limits.looks || now < this.#pardonedUntil) return 0;
    if (now - this.#runningSince < this.#limits.leastRun) return 0;
    this.#waitAtRest = wait ?? 0;
    this.#slowLooks = 0;
    return this.#limits.rest;
  }

  /** After a rest: what was asked of the volume meanwhile tells whether it helped. */
  rested(before: VolumeTraffic | undefined, after: VolumeTraffic | undefined, now: number): void {
    const wait = before === undefined || after === undefined ? undefined : meanWait(before, after);
    if (wait !== undefined && wait > this.#waitAtRest / 2) this.#pardonedUntil = now + this.#limits.pardon;
    this.#runningSince = now;
    this.#last = undefined;
  }
}
