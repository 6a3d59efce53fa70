import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { KannukiError } from '../errors/error.ts';
import type { SecretBytes } from '../secrets/secret-bytes.ts';

export interface RunOptions {
  /** Written to standard input, then closed. A secret goes in as SecretBytes and is not copied into a string. */
  readonly input?: SecretBytes | Uint8Array | string;
  /** Further inherited descriptors: the first becomes fd 3 of the program. */
  readonly descriptors?: readonly number[];
  /** Bound on the whole run; the program's process group is killed at its end. */
  readonly timeoutSeconds?: number;
  /** Exit codes that are an answer and not a failure. Default [0]. */
  readonly accept?: readonly number[];
  /** Called with each line of standard output as it comes, for progress. */
  readonly onLine?: (line: string) => void;
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the program when aborted. */
  readonly signal?: AbortSignal;
  /**
   * How an abort and the time-out end the program. Left out: it is killed. Given: it is asked with SIGTERM and never killed, for
   * programs that must not die in the middle of their work; one that has not ended this long after is left running. Nor does it die of
   * its next line of output should this process be killed: it ignores SIGPIPE.
   */
  readonly gentle?: { readonly graceSeconds: number };
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program: what the volume engine, facts and host need of the machine. Tests put a recorder in its place. */
export type Run = (program: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;

const outputLimit = 16 * 1024 * 1024;
const defaultTimeoutSeconds = 120;
/** No shell, no inherited environment: what a program does must not depend on who called us. */
const cleanEnvironment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * What is ignored stays so in the program (POSIX, exec), and a spawn of Node's sets everything else to its default. env(1) can do it
 * only from coreutils 8.31 on. The shell sees a fixed text; program and arguments are its positional parameters.
 */
const ignoringPipe = ['sh', '-c', 'trap "" PIPE; exec "$@"', 'sh'] as const;
/** POSIX, "Exit Status for Commands". */
const notFoundByShell = 127;

/**
 * Runs a program to its end.
 * @throws KannukiError KNK-CMD-0001 on an exit code outside `accept`, 0002 when it is not installed, 0003 on time-out, 0004
 * when it was left running (`gentle`)
 */
export const run: Run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const timeoutSeconds = options.timeoutSeconds ?? defaultTimeoutSeconds;
    const [file, ...words] = options.gentle === undefined ? [program, ...args] : [...ignoringPipe, program, ...args];
    const child = spawn(file, words, {
      cwd: options.workingDirectory ?? '/',
      env: { ...cleanEnvironment, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])],
      detached: true,
    });
    let timedOut = false;
    let grace: NodeJS.Timeout | undefined;
    const endGroup = (): void => {
      signalGroup(child.pid, options.gentle === undefined ? 'SIGKILL' : 'SIGTERM');
      if (options.gentle === undefined || grace !== undefined) return;
      const { graceSeconds } = options.gentle;
      grace = setTimeout(() => {
        child.unref();
        reject(new KannukiError('KNK-CMD-0004', { details: { program, pid: child.pid ?? 0, seconds: graceSeconds } }));
      }, graceSeconds * 1000);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      endGroup();
    }, timeoutSeconds * 1000);
    options.signal?.addEventListener('abort', endGroup, { once: true });
    if (options.signal?.aborted === true) endGroup();

    const stdout = collect(child.stdout, options.onLine);
    const stderr = collect(child.stderr, undefined);
    child.stdin?.on('error', ignoreEarlyClose);
    const { input } = options;
    child.stdin?.end(input === undefined || typeof input === 'string' ? (input ?? '') : bytesOf(input));

    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      clearTimeout(grace);
      const code = error.code === 'ENOENT' ? 'KNK-CMD-0002' : 'KNK-CMD-0001';
      reject(
        new KannukiError(code, {
          details: { program, result: error.code ?? 'error', detail: error.message },
          cause: error,
        }),
      );
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(timer);
      clearTimeout(grace);
      options.signal?.removeEventListener('abort', endGroup);
      if (timedOut) {
        reject(new KannukiError('KNK-CMD-0003', { details: { program, seconds: timeoutSeconds } }));
        return;
      }
      if (options.gentle !== undefined && exitCode === notFoundByShell) {
        const detail = lastLines(stderr.text());
        reject(new KannukiError('KNK-CMD-0002', { details: { program, result: 'ENOENT', detail } }));
        return;
      }
      if (exitCode === null || !(options.accept ?? [0]).includes(exitCode)) {
        const result = exitCode === null ? `signal ${signal}` : `code ${exitCode}`;
        const detail = lastLines(stderr.text() || stdout.text());
        reject(new KannukiError('KNK-CMD-0001', { details: { program, result, detail, exitCode: exitCode ?? -1 } }));
        return;
      }
      resolve({ exitCode, stdout: stdout.text(), stderr: stderr.text() });
    });
  });

/** To the program and all that it has started: each runs in a process group of its own. */
function signalGroup(pid: number | undefined, signal: 'SIGKILL' | 'SIGTERM'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A program that ends before it has read its input closes the pipe; its exit code then tells the story. */
function ignoreEarlyClose(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
}

function bytesOf(input: SecretBytes | Uint8Array): Uint8Array {
  return input instanceof Uint8Array ? input : input.bytes;
}

function collect(stream: Readable | null, onLine: ((line: string) => void) | undefined): { text(): string } {
  const chunks: Buffer[] = [];
  let size = 0;
  let partial = '';
  stream?.on('data', (chunk: Buffer) => {
    if (size < outputLimit) chunks.push(chunk.subarray(0, outputLimit - size));
    size += chunk.length;
    if (onLine === undefined) return;
    const pieces = (partial + chunk.toString('utf8')).split(/\r?\n|\r/);
    partial = (pieces.pop() ?? '').slice(0, 65536);
    for (const piece of pieces) if (piece !== '') onLine(piece);
  });
  return { text: () => Buffer.concat(chunks).toString('utf8') };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' | ').slice(0, 800);
}
