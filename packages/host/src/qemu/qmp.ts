import { closeSync, openSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { KannukiError } from '@kannuki/core';

/** One asynchronous message of QEMU. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** QEMU's answers are small; a line longer than this is not one. */
const lineLimit = 4 * 1024 * 1024;
const answerSeconds = 15;
const connectSeconds = 10;

/**
 * A session on QEMU's monitor (QMP, docs/interop/qmp-spec in QEMU). QEMU talks to one client of a socket at a time and
 * lets others wait, so keep sessions short: connect, do, close.
 * @example await using monitor = await QmpClient.connect(path); await monitor.execute('query-status');
 */
export class QmpClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #closed: Promise<void>;
  #nextId = 1;
  #partial = '';
  #end: Error | undefined;
  #greet: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', (error) => this.#fail(error));
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#fail(new Error('the monitor was closed'));
        resolve();
      });
    });
  }

  static async connect(path: string, timeoutSeconds = connectSeconds): Promise<QmpClient> {
    const socket = await connectUnix(path);
    const client = new QmpClient(socket);
    try {
      await client.#bounded('connect', timeoutSeconds, new Promise<void>((resolve) => (client.#greet = resolve)));
      await client.execute('qmp_capabilities', {}, timeoutSeconds);
      return client;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /**
   * @returns what QEMU calls `return`
   * @throws KannukiError KNK-HST-0007 when QEMU refuses, KNK-HST-0008 when it does not answer in time
   */
  async execute(
    command: string,
    parameters: Readonly<Record<string, unknown>> = {},
    timeoutSeconds = answerSeconds,
  ): Promise<unknown> {
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(refused(command, this.#end.message));
        return;
      }
      this.#waiting.set(id, {
        resolve,
        reject: (error) => reject(refused(command, error instanceof Error ? error.message : String(error))),
      });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    });
    try {
      return await this.#bounded(command, timeoutSeconds, answer);
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** Calls `listener` for each event until the returned thing is disposed. */
  onEvent(listener: (event: QmpEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Resolves when QEMU has gone or closed this session. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  close(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }

  async #bounded<Value>(command: string, seconds: number, answer: Promise<Value>): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new KannukiError('KNK-HST-0008', { details: { command, seconds } }));
      }, seconds * 1000);
    });
    const ended = this.#closed.then((): never => {
      throw refused(command, this.#end?.message ?? 'the monitor was closed');
    });
    ended.catch(() => undefined);
    try {
      return await Promise.race([answer, late, ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    if (this.#partial.length > lineLimit) this.#socket.destroy(new Error('the monitor sent an endless line'));
    for (const line of lines) if (line.trim() !== '') this.#message(line);
  }

  #message(line: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line) as Record<string, unknown>;
    } catch {
      this.#socket.destroy(new Error('the monitor sent something that is not JSON'));
      return;
    }
    if ('QMP' in message) {
      this.#greet?.();
    } else if (typeof message.event === 'string') {
      const event = { event: message.event, data: (message.data ?? {}) as Record<string, unknown> };
      for (const listener of this.#listeners) listener(event);
    } else if (typeof message.id === 'number') {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('error' in message) waiting?.reject(describeError(message.error));
      else waiting?.resolve(message.return);
    }
  }

  #fail(error: Error): void {
    this.#end ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
    this.#waiting.clear();
  }
}

/** Waits for one event that fits. Subscribe before the command that causes it. */
export async function waitForEvent(
  monitor: QmpClient,
  fits: (event: QmpEvent) => boolean,
  seconds: number,
  command: string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => reject(new KannukiError('KNK-HST-0008', { details: { command, seconds } })),
    seconds * 1000,
  );
  using _listening = monitor.onEvent((event) => {
    if (fits(event)) resolve();
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Connects to a Unix socket whose path may be longer than the 107 bytes that the kernel takes: the folder is opened
 * and the socket named relative to it.
 */
async function connectUnix(path: string): Promise<Socket> {
  const folder = openSync(dirname(path), 'r');
  try {
    const socket = createConnection({ path: `/proc/self/fd/${folder}/${basename(path)}` });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(refused('connect', error.message)));
    });
    socket.removeAllListeners('error');
    return socket;
  } finally {
    closeSync(folder);
  }
}

function refused(command: string, detail: string): KannukiError {
  return new KannukiError('KNK-HST-0007', { details: { command, detail: detail.slice(0, 500) } });
}

function describeError(error: unknown): Error {
  const { class: kind, desc } = (error ?? {}) as { class?: unknown; desc?: unknown };
  return new Error(`${String(desc)} (${String(kind)})`);
}
