import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const repository = join(import.meta.dirname, '../..');
const program = join(repository, 'kannuki');

export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Bounds {
  readonly timeoutSeconds?: number;
  /** Called with each line that the program prints for people. */
  readonly onPeopleLine?: (line: string) => void;
}

/** Runs `./kannuki …` as a user would and gives what it prints; a failure is an error with its message. */
export async function kannuki<Result>(args: readonly string[], bounds: Bounds = {}): Promise<Result> {
  const answer = await execute(undefined, [...args, '-o', 'json'], bounds);
  if (answer.exitCode !== 0) {
    throw new Error(`kannuki ${args.join(' ')} ended with ${answer.exitCode}\n${answer.stdout}${answer.stderr}`);
  }
  return (answer.stdout.trim() === '' ? null : JSON.parse(answer.stdout)) as Result;
}

/** @param command undefined for `./kannuki` */
export function execute(
  command: string | undefined,
  args: readonly string[],
  bounds: Bounds = {},
  input?: string,
): Promise<Answer> {
  const { timeoutSeconds = 120, onPeopleLine } = bounds;
  return new Promise((resolve, reject) => {
    const child = spawn(command ?? program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1000);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    if (onPeopleLine !== undefined) createInterface({ input: child.stderr }).on('line', onPeopleLine);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL')
        reject(new Error(`${command} ${args.join(' ')} did not end within ${timeoutSeconds} s`));
      else resolve({ exitCode: code ?? -1, stdout, stderr });
    });
    child.stdin.on('error', () => {
      // A program that ends early does not read its input; its exit code tells the story.
    });
    child.stdin.end(input ?? '');
  });
}

/** A running server; it serves from when `start` resolves until `stop`. */
export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

export function startServer(args: readonly string[], timeoutSeconds: number): Promise<RunningServer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['server', 'start', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<void>((done) => child.once('exit', () => done()));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the server was not ready within ${timeoutSeconds} s\n${stderr}`));
    }, timeoutSeconds * 1000);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}\n${stderr}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, url] = /^ready (\S+)/.exec(line) ?? [];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({
        url,
        stop: async () => {
          child.kill('SIGTERM');
          await ended;
        },
      });
    });
  });
}
