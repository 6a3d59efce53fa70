/** Waits that double up to a bound, with a random quarter less so that many agents do not come back at one instant. */
export class Backoff {
  readonly #firstMilliseconds: number;
  readonly #longestMilliseconds: number;
  #next: number;

  constructor(firstMilliseconds: number, longestMilliseconds: number) {
    this.#firstMilliseconds = firstMilliseconds;
    this.#longestMilliseconds = longestMilliseconds;
    this.#next = firstMilliseconds;
  }

  nextMilliseconds(): number {
    const wait = this.#next;
    this.#next = Math.min(wait * 2, this.#longestMilliseconds);
    return wait * (1 - Math.random() / 4);
  }

  reset(): void {
    this.#next = this.#firstMilliseconds;
  }
}
