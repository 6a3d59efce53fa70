import type { KeyObject } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { EcCheck } from './ecdsa.ts';

/** What the workers do: operations for which Node has nothing that runs off the event loop by itself. */
export type WorkerTask =
  /** RSA with the private key: `padding` as OpenSSL numbers it; with `oaepHash` for padding 4. */
  | {
      readonly kind: 'rsaSign' | 'rsaDecrypt';
      readonly padding: number;
      readonly oaepHash?: 'sha1' | 'sha256';
      readonly data: Uint8Array;
    }
  | { readonly kind: 'ecVerify'; readonly check: EcCheck };

/**
 * A group of tasks, packed: what crosses between threads costs by the number of its objects. `heads` has five numbers a task:
 * what it is (0 decrypts, 1 signs, 2 checks an EC signature), the number of its key, padding, hash of OAEP (0 none, 1
 * SHA-1, 2 SHA-256), and how many bytes of `data` are its own; for a check, its index in `checks`.
 */
export interface WorkerGroup {
  readonly heads: Int32Array;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly checks: readonly EcCheck[];
  /** Keys that this worker has not had yet. */
  readonly fresh: readonly (readonly [number, KeyObject])[];
}

export type WorkerRequest = WorkerGroup | { readonly forget: readonly number[] };

/** For each task, how many bytes of `data` are its value; below 0: -1 failed, -2 no, -3 yes. */
export interface WorkerReply {
  readonly lengths: Int32Array;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * The whole program of a worker. It is started from its own text, so that it also works in the program that is bundled
 * into one file: it must not use anything from outside this function.
 */
export function workerMain(): void {
  const { privateDecrypt, privateEncrypt } = process.getBuiltinModule('node:crypto');
  const { parentPort } = process.getBuiltinModule('node:worker_threads');

  /** Points in Jacobian coordinates: [X, Y, Z] stands for (X/Z², Y/Z³); Z is 0 at infinity. */
  type Point = readonly [bigint, bigint, bigint];

  function isValid({ p, a, n, generator, publicPoint, r, u1, u2 }: EcCheck): boolean {
    const mod = (value: bigint): bigint => {
      const rest = value % p;
      return rest < 0n ? rest + p : rest;
    };
    const twice = ([x, y, z]: Point): Point => {
      if (y === 0n || z === 0n) return [0n, 1n, 0n];
      const yy = mod(y * y);
      const s = mod(4n * x * yy);
      const zz = mod(z * z);
      const m = mod(3n * x * x + a * mod(zz * zz));
      const x3 = mod(m * m - 2n * s);
      return [x3, mod(m * (s - x3) - 8n * yy * yy), mod(2n * y * z)];
    };
    const sum = (left: Point, right: Point): Point => {
      const [[x1, y1, z1], [x2, y2, z2]] = [left, right];
      if (z1 === 0n) return right;
      if (z2 === 0n) return left;
      const [zz1, zz2] = [mod(z1 * z1), mod(z2 * z2)];
      const [u, s] = [mod(x1 * zz2), mod(y1 * zz2 * z2)];
      const h = mod(x2 * zz1 - u);
      const d = mod(y2 * zz1 * z1 - s);
      if (h === 0n) return d === 0n ? twice(left) : [0n, 1n, 0n];
      const hh = mod(h * h);
      const hhh = mod(h * hh);
      const v = mod(u * hh);
      const x3 = mod(d * d - hhh - 2n * v);
      return [x3, mod(d * (v - x3) - s * hhh), mod(h * z1 * z2)];
    };
    const g: Point = [...generator, 1n];
    const q: Point = [...publicPoint, 1n];
    const both = sum(g, q);
    let point: Point = [0n, 1n, 0n];
    // u1·G + u2·Q in one run over the bits of both (Shamir's trick).
    for (let bit = BigInt(n.toString(2).length) - 1n; bit >= 0n; bit -= 1n) {
      point = twice(point);
      const [one, two] = [(u1 >> bit) & 1n, (u2 >> bit) & 1n];
      if (one === 1n) point = sum(point, two === 1n ? both : g);
      else if (two === 1n) point = sum(point, q);
    }
    const [x, , z] = point;
    if (z === 0n) return false;
    // x/z² = r modulo n, without a division: r or r + n is the coordinate itself.
    const zz = mod(z * z);
    return x === mod(r * zz) || (r + n < p && x === mod((r + n) * zz));
  }

  const keys = new Map<number, KeyObject>();
  const headNumbers = 5;

  function rsaValue(head: Int32Array, data: Uint8Array): Buffer | undefined {
    const [kind, number = 0, padding = 0, hash] = head;
    const key = keys.get(number);
    if (key === undefined) return undefined;
    try {
      if (kind === 1) return privateEncrypt({ key, padding }, data);
      // What it does unless told otherwise is OAEP with SHA-1, and to be told otherwise costs a twentieth more.
      if (hash === 1) return privateDecrypt(key, data);
      if (hash === 0) return privateDecrypt({ key, padding }, data);
      return privateDecrypt({ key, padding, oaepHash: 'sha256' }, data);
    } catch {
      return undefined;
    }
  }

  function work({ heads, data, checks }: WorkerGroup): WorkerReply {
    const lengths = new Int32Array(heads.length / headNumbers).fill(-1);
    const values: Buffer[] = [];
    let at = 0;
    for (let index = 0; index < lengths.length; index++) {
      const head = heads.subarray(index * headNumbers, (index + 1) * headNumbers);
      const [kind, , , , length = 0] = head;
      if (kind === 2) {
        const check = checks[length];
        lengths[index] = check !== undefined && isValid(check) ? -3 : -2;
        continue;
      }
      const value = rsaValue(head, data.subarray(at, at + length));
      at += length;
      if (value === undefined) continue;
      lengths[index] = value.length;
      values.push(value);
    }
    // In memory of its own, which then changes hands; what it was put together from is wiped.
    const packed = new Uint8Array(values.reduce((sum, value) => sum + value.length, 0));
    let to = 0;
    for (const value of values) {
      packed.set(value, to);
      to += value.length;
      value.fill(0);
    }
    return { lengths, data: packed };
  }

  parentPort?.on('message', (request: WorkerRequest) => {
    if ('forget' in request) {
      for (const number of request.forget) keys.delete(number);
      return;
    }
    for (const [number, key] of request.fresh) keys.set(number, key);
    const reply = work(request);
    (parentPort as MessagePort).postMessage(reply, [reply.data.buffer]);
  });
}
