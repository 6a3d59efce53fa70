import { isSame, type RowSealer } from './row-seal.ts';

/** What the database has to say about how many rows there are, and which. */
export interface InventoryRecord {
  readonly rowCount: number;
  readonly sum: Uint8Array;
  readonly mac: Uint8Array;
}

const sumBytes = 32;
const modulus = 1n << BigInt(sumBytes * 8);

/**
 * A keyed sum over the MACs of all rows (a multiset hash: order does not count, adding and taking away cost the same for
 * any number of rows). It is written in the transaction of every change and checked when the database is opened, so a
 * row that was removed, put back or replaced by its own older state does not go unseen. Values are immutable.
 */
export class Inventory {
  readonly #sealer: RowSealer;
  readonly rowCount: number;
  readonly #sum: bigint;

  constructor(sealer: RowSealer, rowCount = 0, sum = 0n) {
    this.#sealer = sealer;
    this.rowCount = rowCount;
    this.#sum = sum;
  }

  with(mac: Uint8Array): Inventory {
    return new Inventory(this.#sealer, this.rowCount + 1, (this.#sum + this.#entry(mac)) % modulus);
  }

  without(mac: Uint8Array): Inventory {
    return new Inventory(this.#sealer, this.rowCount - 1, (this.#sum + modulus - this.#entry(mac)) % modulus);
  }

  record(): InventoryRecord {
    const sum = Buffer.from(this.#sum.toString(16).padStart(sumBytes * 2, '0'), 'hex');
    return { rowCount: this.rowCount, sum, mac: this.#sealer.keyedHash('inventory', [this.rowCount, sum]) };
  }

  matches(record: InventoryRecord): boolean {
    const own = this.record();
    return own.rowCount === record.rowCount && isSame(own.sum, record.sum) && isSame(own.mac, record.mac);
  }

  /** Not the MAC itself, which stands in the file: whoever could choose rows by their summands could forge a sum. */
  #entry(mac: Uint8Array): bigint {
    return BigInt(`0x${this.#sealer.keyedHash('inventory entry', [mac]).toString('hex')}`);
  }
}
