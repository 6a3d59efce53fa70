import type { Evidence } from './unit-evidence.ts';

/**
 * `found`: everything before `boundary` units is ciphertext, everything from there on is plaintext, and that is proved.
 * `unclear`: it is not; `reason` says what was seen.
 */
export type BoundaryVerdict =
  | { readonly kind: 'found'; readonly boundary: number }
  | { readonly kind: 'unclear'; readonly reason: string };

/**
 * Finds where a conversion stood, from the evidence of one unit after the other. What makes it a proof: at any moment only
 * one piece of at most `window` units is under work; all before it is ciphertext and on stable storage, all behind it has
 * not been touched. So within a window on both sides of the boundary every single unit has to be clear, and then nothing is
 * left that could be otherwise. One unclear unit there, or ciphertext behind plaintext, and there is no answer.
 */
export class BoundaryEvidence {
  readonly #window: number;
  readonly #start: number;
  #next: number;
  #lastCipher: number;
  #firstPlain: number | undefined;
  #undecided: number[] = [];
  /** Further undecided units, all more than a window before those that are listed: the list stays short on a disk of noise. */
  #older = 0;
  #contradiction: string | undefined;

  /** @param start unit up to which a header says that all is ciphertext */
  constructor(start: number, window: number) {
    this.#start = start;
    this.#next = start;
    this.#lastCipher = start - 1;
    this.#window = window;
  }

  /** @returns false when no further unit can change the verdict */
  add(evidence: Evidence): boolean {
    const unit = this.#next++;
    if (evidence === 'plain') this.#firstPlain ??= unit;
    else if (evidence === 'undecided') this.#doubt(unit);
    else if (this.#firstPlain !== undefined) {
      this.#contradiction = `plaintext at unit ${this.#firstPlain}, ciphertext behind it at unit ${unit}`;
    } else this.#sawCipher(unit);
    if (this.#contradiction !== undefined) return false;
    return this.#firstPlain === undefined || this.#next < this.#firstPlain + this.#window;
  }

  /** Once the last unit was added, or `add` has said that it is enough. */
  verdict(): BoundaryVerdict {
    if (this.#contradiction !== undefined) return { kind: 'unclear', reason: this.#contradiction };
    const boundary = this.#firstPlain ?? this.#next;
    const doubtful = this.#undecided.filter((unit) => unit >= this.#windowStart());
    const count = doubtful.length + this.#older;
    if (count > 0) {
      return { kind: 'unclear', reason: `${count} units before or near unit ${boundary} look like noise both ways` };
    }
    return { kind: 'found', boundary };
  }

  #doubt(unit: number): void {
    this.#undecided.push(unit);
    if (this.#undecided.length <= 2 * this.#window) return;
    this.#undecided = this.#undecided.slice(this.#window);
    this.#older += this.#window;
  }

  #sawCipher(unit: number): void {
    this.#lastCipher = unit;
    this.#older = 0;
    // What lies more than a piece before ciphertext was finished before that was begun.
    const start = this.#windowStart();
    if ((this.#undecided[0] ?? start) < start) this.#undecided = this.#undecided.filter((other) => other >= start);
  }

  #windowStart(): number {
    return Math.max(this.#start, this.#lastCipher + 1 - this.#window);
  }
}
