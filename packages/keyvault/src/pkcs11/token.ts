import { setTimeout as sleep } from 'node:timers/promises';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import {
  type Binding,
  type Cryptoki,
  isResult,
  type LoadedModule,
  loadModule,
  type ObjectHandle,
  resultName,
  type SessionHandle,
  type Template,
  tokenFailure,
} from './cryptoki.ts';
import { SessionPool } from './session-pool.ts';

export interface Pkcs11TokenOptions {
  /** Path of the vendor's shared library. */
  readonly modulePath: string;
  readonly tokenLabel: string;
  /** Asked for at each login; we dispose what it gives. */
  readonly pin: () => Promise<SecretBytes>;
  /** How many calls the token gets at once, 2 or more. Default 4: Node runs no more off the event loop. */
  readonly sessions?: number;
  /** Bound on one call, and on the wait for a free session. Default 60. */
  readonly waitSeconds?: number;
}

/** What a call to the token works with. */
export interface TokenCall {
  readonly binding: Binding;
  readonly cryptoki: Cryptoki;
  readonly session: SessionHandle;
  /** All objects that fit, at most 64. */
  readonly find: (template: Template) => readonly ObjectHandle[];
}

/** After these nothing of the login is left: the token was taken out, reset, or its sessions were closed by another. */
const lost: readonly string[] = [
  'CKR_SESSION_HANDLE_INVALID',
  'CKR_SESSION_CLOSED',
  'CKR_USER_NOT_LOGGED_IN',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_TOKEN_NOT_RECOGNIZED',
  'CKR_DEVICE_REMOVED',
  'CKR_DEVICE_ERROR',
  'CKR_SLOT_ID_INVALID',
  'CKR_CRYPTOKI_NOT_INITIALIZED',
];
/** After these another try with the same PIN only brings the token nearer to locking itself. */
const pinRefused: readonly string[] = [
  'CKR_PIN_INCORRECT',
  'CKR_PIN_LOCKED',
  'CKR_PIN_EXPIRED',
  'CKR_PIN_LEN_RANGE',
  'CKR_PIN_INVALID',
];

const closeSeconds = 10;
/** CKS_RW_USER_FUNCTIONS: a read-write session of a user who is logged in. */
const rwUserFunctions = 3;

/**
 * One token, logged in as its user: hands out sessions, at most so many at once, and logs in again where the token lost
 * them. A wrong PIN is tried once and then no more.
 */
export class Pkcs11Token implements AsyncDisposable {
  readonly label: string;
  readonly #module: LoadedModule;
  readonly #options: Pkcs11TokenOptions;
  readonly #waitSeconds: number;
  readonly #sessions: number;
  #pool: Promise<SessionPool> | undefined;
  #refusedPin: string | undefined;
  #closed = false;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(module: LoadedModule, options: Pkcs11TokenOptions) {
    this.label = options.tokenLabel;
    this.#module = module;
    this.#options = options;
    this.#waitSeconds = options.waitSeconds ?? 60;
    // The self test needs a second one beside that of its key.
    this.#sessions = Math.max(options.sessions ?? 4, 2);
  }

  /** Loads the module and logs in. @throws KannukiError KNK-KVT-0042, 0043 */
  static async open(options: Pkcs11TokenOptions): Promise<Pkcs11Token> {
    const token = new Pkcs11Token(await loadModule(options.modulePath), options);
    try {
      await token.#connected();
      return token;
    } catch (error) {
      await token.close();
      throw error;
    }
  }

  /**
   * Runs one call with a session of its own; where the token has lost its sessions, once more after a new login.
   * @param work must keep the buffers it gives to asynchronous calls reachable until these end: the binding does not
   * @throws KannukiError KNK-KVT-0042, or what `work` throws
   */
  async use<Result>(work: (call: TokenCall) => Promise<Result>): Promise<Result> {
    const first = await this.#connected();
    try {
      return await this.#run(first, work);
    } catch (error) {
      if (!isResult(error)) throw error;
      if (!lost.includes(resultName(error))) throw tokenFailure(this.label, resultName(error));
      await this.#forget(first);
    }
    const second = await this.#connected();
    try {
      return await this.#run(second, work);
    } catch (error) {
      if (!isResult(error)) throw error;
      await this.#forget(second);
      throw tokenFailure(this.label, resultName(error));
    }
  }

  /** Waits for running calls, but not for ever, and logs out. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const idle = Promise.allSettled(this.#running).then(() => true);
    const ended = await Promise.race([idle, sleep(closeSeconds * 1000, false, { ref: false })]);
    const pool = await this.#pool?.catch(() => undefined);
    if (ended) pool?.close();
    this.#module.release(ended);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run<Result>(pool: SessionPool, work: (call: TokenCall) => Promise<Result>): Promise<Result> {
    const { binding, cryptoki } = this.#module;
    const session = await pool.take(this.#waitSeconds);
    let sound = false;
    const running = (async (): Promise<Result> => {
      try {
        const result = await work({ binding, cryptoki, session, find: (of) => findAll(this.#module, session, of) });
        sound = true;
        return result;
      } finally {
        // A failed call may leave an operation open: such a session is not used again.
        pool.giveBack(session, sound);
      }
    })();
    this.#running.add(running);
    void running.catch(() => undefined).finally(() => this.#running.delete(running));
    const waiting = new AbortController();
    try {
      return await Promise.race([running, this.#tooLong(waiting.signal)]);
    } finally {
      waiting.abort();
    }
  }

  async #tooLong(signal: AbortSignal): Promise<never> {
    await sleep(this.#waitSeconds * 1000, undefined, { signal, ref: false }).catch(
      () => new Promise<never>(() => undefined),
    );
    throw tokenFailure(this.label, `it gave no answer in ${this.#waitSeconds} s`);
  }

  #connected(): Promise<SessionPool> {
    if (this.#closed) throw new KannukiError('KNK-KVT-0027');
    if (this.#refusedPin !== undefined) throw tokenFailure(this.label, this.#refusedPin);
    this.#pool ??= this.#connect().catch((error: unknown) => {
      this.#pool = undefined;
      throw error;
    });
    return this.#pool;
  }

  async #forget(pool: SessionPool): Promise<void> {
    // Another call may have connected anew meanwhile.
    if ((await this.#pool?.catch(() => undefined)) === pool) this.#pool = undefined;
    pool.close();
  }

  async #connect(): Promise<SessionPool> {
    const { binding, cryptoki } = this.#module;
    const fail = (error: unknown): KannukiError => tokenFailure(this.label, resultName(error));
    let slot: Buffer;
    try {
      slot = this.#slot();
    } catch (error) {
      throw error instanceof KannukiError ? error : fail(error);
    }
    using pin = await this.#options.pin();
    const flags = binding.CKF_SERIAL_SESSION | binding.CKF_RW_SESSION;
    const open = (): SessionHandle => cryptoki.C_OpenSession(slot, flags);
    const close = (session: SessionHandle): void => cryptoki.C_CloseSession(session);
    let keeper: SessionHandle | undefined;
    try {
      keeper = open();
      // The binding takes the PIN as a string only; this one lives no longer than the call, until it is collected.
      cryptoki.C_Login(keeper, binding.CKU_USER, Buffer.from(pin.bytes).toString('utf8'));
    } catch (error) {
      const name = resultName(error);
      if (keeper === undefined || name !== 'CKR_USER_ALREADY_LOGGED_IN') {
        if (pinRefused.includes(name)) this.#refusedPin = name;
        if (keeper !== undefined) close(keeper);
        throw fail(error);
      }
    }
    return new SessionPool({ label: this.label, limit: this.#sessions, keeper, open, close });
  }

  #slot(): Buffer {
    const { cryptoki } = this.#module;
    const slots = cryptoki.C_GetSlotList(true).filter((slot) => {
      try {
        return cryptoki.C_GetTokenInfo(slot).label.trimEnd() === this.label;
      } catch {
        // A token that just went away is not the one.
        return false;
      }
    });
    const [slot] = slots;
    if (slot === undefined) throw tokenFailure(this.label, 'no such token is there');
    if (slots.length > 1) throw tokenFailure(this.label, 'several tokens have that label');
    return slot;
  }

  /** The slot for questions about the token itself. @throws KannukiError KNK-KVT-0042 */
  mechanisms(): ReadonlyMap<number, { readonly minimum: number; readonly maximum: number; readonly flags: number }> {
    const { cryptoki } = this.#module;
    try {
      const slot = this.#slot();
      return new Map(
        cryptoki.C_GetMechanismList(slot).map((type) => {
          const { minKeySize, maxKeySize, flags } = cryptoki.C_GetMechanismInfo(slot, type);
          return [type, { minimum: minKeySize, maximum: maxKeySize, flags }];
        }),
      );
    } catch (error) {
      throw error instanceof KannukiError ? error : tokenFailure(this.label, resultName(error));
    }
  }

  get binding(): Binding {
    return this.#module.binding;
  }
}

function findAll({ cryptoki }: LoadedModule, session: SessionHandle, template: Template): readonly ObjectHandle[] {
  // Without a login the token shows public objects only, and says nothing: that must not look like a key that is gone.
  const { state } = cryptoki.C_GetSessionInfo(session);
  if (state !== rwUserFunctions) throw new Error('CKR_USER_NOT_LOGGED_IN');
  cryptoki.C_FindObjectsInit(session, template);
  try {
    return cryptoki.C_FindObjects(session, 64);
  } finally {
    cryptoki.C_FindObjectsFinal(session);
  }
}
