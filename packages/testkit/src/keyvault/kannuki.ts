import { spawn } from 'node:child_process';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../../cli/src/main.ts');

export interface Answer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real command line. */
export function kannuki(words: readonly string[], input = '', timeoutSeconds = 120): Promise<Answer> {
  const child = spawn(process.execPath, [program, ...words], { timeout: timeoutSeconds * 1000 });
  const answer = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      answer[stream] += text;
    });
  }
  child.stdin.on('error', () => {
    // A program that ends early does not read its input; its exit code tells the story.
  });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, ...answer }));
  });
}
