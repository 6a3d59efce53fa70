import type { SessionHandle } from './cryptoki.ts';
import { tokenFailure } from './cryptoki.ts';

export interface SessionPoolOptions {
  /** Of the token, for errors. */
  readonly label: string;
  readonly limit: number;
  /** The session that logged in: open as long as the pool, since a login ends with an application's last session. */
  readonly keeper: SessionHandle;
  readonly open: () => SessionHandle;
  readonly close: (session: SessionHandle) => void;
}

/** More than so many callers in the queue are turned away at once. */
const queueLimit = 10_000;

/** The sessions of one login: at most `limit`, reused, first come first served. */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #free: SessionHandle[] = [];
  readonly #queue: ((session: SessionHandle) => void)[] = [];
  #taken = 0;
  #closed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** @throws KannukiError KNK-KVT-0042 where none gets free in time; or the binding's error */
  async take(waitSeconds: number): Promise<SessionHandle> {
    const { label, limit, open } = this.#options;
    if (this.#taken < limit) {
      const session = this.#free.pop() ?? open();
      this.#taken += 1;
      return session;
    }
    if (this.#queue.length >= queueLimit) throw tokenFailure(label, 'too many calls wait for it');
    const { promise, resolve, reject } = Promise.withResolvers<SessionHandle>();
    const timer = setTimeout(() => {
      this.#queue.splice(this.#queue.indexOf(resolve), 1);
      reject(tokenFailure(label, `no session got free in ${waitSeconds} s`));
    }, waitSeconds * 1000);
    this.#queue.push(resolve);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param sound false: the session is closed and not used again */
  giveBack(session: SessionHandle, sound: boolean): void {
    if (sound && !this.#closed) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        next(session);
        return;
      }
      this.#free.push(session);
    } else {
      this.#close(session);
      this.#serveNext();
    }
    this.#taken -= 1;
  }

  /** Sessions that are in use close as they come back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const session of [...this.#free.splice(0), this.#options.keeper]) this.#close(session);
  }

  /** Someone who waits gets a session of his own in the place of the closed one. */
  #serveNext(): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    try {
      next(this.#options.open());
      this.#taken += 1;
    } catch {
      // The caller would not know what to do with it: an invalid handle fails there with a result code and is retried.
      next(Buffer.alloc(8, 0xff));
      this.#taken += 1;
    }
  }

  #close(session: SessionHandle): void {
    try {
      this.#options.close(session);
    } catch {
      // Gone already, with its token or its login.
    }
  }
}
