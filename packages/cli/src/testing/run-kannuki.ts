import { spawn } from 'node:child_process';
import { runProgram } from '../program/run-program.ts';

/** What one run of the program gave. */
export interface ProgramRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const entry = new URL('../main.ts', import.meta.url).pathname;

/** These keep the machine's own configuration, and who is logged in on it, out of the tests. */
const cleanEnvironment = { KANNUKI_CONFIG: '/dev/null', KANNUKI_CONFIG_DIR: '/dev/null/nobody-is-logged-in' };

/** Runs the real program as a child process, as a user does; only the environment is our own. For tests. */
export function runKannuki(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: Uint8Array,
): Promise<ProgramRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], {
      env: { PATH: '/usr/bin:/bin', ...cleanEnvironment, ...environment },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: 30_000,
    });
    child.stdin?.end(input);
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, ...output }));
  });
}

/** The same program in this process, without the child: for tests that try many command lines. */
export async function runInProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ProgramRun> {
  const output = { stdout: '', stderr: '' };
  const exitCode = await runProgram(args, {
    stdout: { write: (text) => (output.stdout += text) },
    stderr: { write: (text) => (output.stderr += text) },
    environment: { ...cleanEnvironment, ...environment },
    now: () => performance.now(),
    ask: undefined,
    interruption: () => new AbortController().signal,
  });
  return { exitCode, ...output };
}
