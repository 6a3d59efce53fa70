/** How many calls of one kind a vault takes in a window if it takes no others. */
export interface CallLimits {
  readonly create: number;
  readonly other: number;
}

export type ShapeName = 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'EC';

export interface ThrottleLimits {
  readonly windowMilliseconds: number;
  readonly keys: Readonly<Record<'hardware' | 'software', Readonly<Record<ShapeName, CallLimits>>>>;
  readonly secrets: CallLimits;
  /** All vaults of a subscription together have this many times one vault's limit. */
  readonly subscriptionFactor: number;
}

/** REQ-367, REQ-368: Azure's newer values (REQ-384). */
export const azureLimits: ThrottleLimits = {
  windowMilliseconds: 10_000,
  keys: {
    hardware: {
      'RSA-2048': { create: 10, other: 2000 },
      'RSA-3072': { create: 10, other: 500 },
      'RSA-4096': { create: 10, other: 250 },
      EC: { create: 10, other: 2000 },
    },
    software: {
      'RSA-2048': { create: 20, other: 4000 },
      'RSA-3072': { create: 20, other: 1000 },
      'RSA-4096': { create: 20, other: 500 },
      EC: { create: 20, other: 4000 },
    },
  },
  secrets: { create: 300, other: 4000 },
  subscriptionFactor: 5,
};

/** What a call weighs: one part in this many of what a vault may do in a window. */
export type Charge =
  | { readonly collection: 'secrets'; readonly isCreation: boolean }
  | {
      readonly collection: 'keys';
      readonly isCreation: boolean;
      readonly hardware: boolean;
      readonly shape: ShapeName;
    };

interface Usage {
  keys: number;
  secrets: number;
}

/** Sums of fractions such as 4000 times 1/4000 come out a little beside 1. */
const rounding = 1e-9;

/**
 * Azure's limits of the data plane (REQ-367 to REQ-369). In each window the parts that the calls of a vault make up,
 * kind by kind, sum up to at most 1: for keys, and apart from them for secrets. What is refused counts for nothing.
 */
export class Throttle {
  readonly #limits: ThrottleLimits;
  readonly #now: () => number;
  readonly #vaults = new Map<string, Usage>();
  readonly #subscriptions = new Map<string, Usage>();
  #windowEnd = 0;

  /** @param now milliseconds since 1970 */
  constructor(limits: ThrottleLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** @returns 0 where the call may be done (and counts), else the whole seconds to wait */
  admit(vault: { readonly name: string; readonly subscriptionId: string }, charge: Charge): number {
    const time = this.#openWindow();
    const weight = 1 / this.#limitOf(charge);
    const ofVault = usageOf(this.#vaults, vault.name);
    const ofSubscription = usageOf(this.#subscriptions, vault.subscriptionId);
    const { collection } = charge;
    if (
      ofVault[collection] + weight > 1 + rounding ||
      ofSubscription[collection] + weight > this.#limits.subscriptionFactor + rounding
    ) {
      return Math.max(1, Math.ceil((this.#windowEnd - time) / 1000));
    }
    ofVault[collection] += weight;
    ofSubscription[collection] += weight;
    return 0;
  }

  #limitOf(charge: Charge): number {
    const limits =
      charge.collection === 'secrets'
        ? this.#limits.secrets
        : this.#limits.keys[charge.hardware ? 'hardware' : 'software'][charge.shape];
    return charge.isCreation ? limits.create : limits.other;
  }

  /** A new window forgets everything; a clock that goes back opens one too, so that nobody waits for the old end. */
  #openWindow(): number {
    const time = this.#now();
    if (time >= this.#windowEnd || time < this.#windowEnd - this.#limits.windowMilliseconds) {
      this.#vaults.clear();
      this.#subscriptions.clear();
      this.#windowEnd = time + this.#limits.windowMilliseconds;
    }
    return time;
  }
}

function usageOf(usages: Map<string, Usage>, name: string): Usage {
  const key = name.toLowerCase();
  const known = usages.get(key);
  if (known !== undefined) return known;
  const usage = { keys: 0, secrets: 0 };
  usages.set(key, usage);
  return usage;
}
