/**
 * Bounds what wrong secrets cost. Secrets have 256 random bits, so nobody guesses one; what is guarded is the server's time and
 * memory. The unit is the pair of client and address: after five failures each further one makes the next wait longer, up to
 * 15 minutes. A client is never locked out everywhere, or whoever knows its public id could keep it out; while it is under
 * attack from many addresses (100 failures in 30 minutes) an address has one free attempt in the place of five. An address with
 * 60 failures over all clients waits too, a minute at most. Clients that do not exist count alike, so that waiting tells nothing.
 *
 * Addresses are shared: every VM of this host and every client of the proxy comes from the loopback address. So who sends the
 * right first characters of a secret of that client (32 random bits that no stranger has) is counted apart, and nothing that
 * strangers do makes it wait. Who proved itself a moment ago is let in before any of this is asked (`ClientAuthentication`).
 */
export class AttemptLimits {
  readonly #pairs: FailureTable;
  readonly #addresses: FailureTable;
  readonly #clients: FailureTable;

  /** @param size entries of each of the three tables at most; the longest untouched goes first */
  constructor(size = 10_000) {
    this.#pairs = new FailureTable(size, 15 * 60_000);
    this.#addresses = new FailureTable(size, 60_000);
    this.#clients = new FailureTable(size, 0);
  }

  /**
   * Asks for an attempt. One that is under way counts as failed until it has ended, so that many at one time are no way round.
   * @param lane counted apart from the other one
   * @returns seconds to wait, or the attempt: end it with exactly one of its functions
   */
  begin(client: string, address: string, now: number, lane: 'stranger' | 'hinted' = 'stranger'): number | Attempt {
    const place = `${lane} ${addressKey(address)}`;
    const ofClient = this.#clients.entry(`${lane} ${client}`, now);
    const pair = this.#pairs.entry(`${client} ${place}`, now);
    const ofAddress = this.#addresses.entry(place, now);
    const pairFree = ofClient.failures >= freeOfClient ? 1 : freeOfPair;
    const wait = Math.max(waitOf(pair, pairFree, now), waitOf(ofAddress, freeOfAddress, now));
    if (wait > 0) return Math.ceil(wait / 1000);
    pair.pending += 1;
    ofAddress.pending += 1;
    const end = (): void => {
      pair.pending -= 1;
      ofAddress.pending -= 1;
    };
    return {
      succeeded: () => {
        end();
        this.#pairs.forget(pair);
      },
      failed: (at) => {
        end();
        this.#pairs.fail(pair, pairFree, at);
        this.#addresses.fail(ofAddress, freeOfAddress, at);
        this.#clients.fail(ofClient, freeOfClient, at);
      },
      abandoned: end,
    };
  }

  /** Entries that are held, over all tables. */
  get size(): number {
    return this.#pairs.size + this.#addresses.size + this.#clients.size;
  }
}

export interface Attempt {
  readonly succeeded: () => void;
  readonly failed: (now: number) => void;
  /** Nothing was checked. */
  readonly abandoned: () => void;
}

const freeOfPair = 5;
const freeOfAddress = 60;
const freeOfClient = 100;
const forgottenAfter = 30 * 60_000;

interface Entry {
  readonly key: string;
  failures: number;
  /** Under way. */
  pending: number;
  blockedUntil: number;
  lastAt: number;
}

/** Milliseconds; 0 where the attempt may begin. */
function waitOf(entry: Entry, free: number, now: number): number {
  if (now < entry.blockedUntil) return entry.blockedUntil - now;
  // Behind the free ones it goes one by one.
  return entry.pending > 0 && entry.failures + entry.pending >= free ? 1000 : 0;
}

class FailureTable {
  readonly #entries = new Map<string, Entry>();
  readonly #size: number;
  readonly #longestWait: number;

  constructor(size: number, longestWait: number) {
    this.#size = size;
    this.#longestWait = longestWait;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry of a key, made where there is none; it is now the last to go. */
  entry(key: string, now: number): Entry {
    const known = this.#entries.get(key);
    const isAlive = known !== undefined && (known.pending > 0 || now - known.lastAt < forgottenAfter);
    const entry = isAlive ? known : { key, failures: 0, pending: 0, blockedUntil: 0, lastAt: now };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#size && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  fail(entry: Entry, free: number, now: number): void {
    entry.failures += 1;
    entry.lastAt = now;
    const over = entry.failures - free;
    if (over >= 0) entry.blockedUntil = now + Math.min(1000 * 2 ** Math.min(over, 20), this.#longestWait);
  }

  forget(entry: Entry): void {
    if (entry.pending === 0) this.#entries.delete(entry.key);
    entry.failures = 0;
    entry.blockedUntil = 0;
  }
}

/** One place on the network: an IPv4 address, a /64 of IPv6 (one host has all of it), or this machine. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (plain === '::1' || plain.startsWith('127.')) return 'loopback';
  if (!plain.includes(':')) return plain.slice(0, 64);
  const [head = '', tail] = plain.toLowerCase().split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.slice(0, 4).replace(/^0+(?=.)/, ''))
    .join(':');
}
