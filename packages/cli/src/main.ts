import { createInterface } from 'node:readline/promises';
import { runProgram } from './program/run-program.ts';

/** The program's entry: everything that touches the real process is here. */

let stopped: AbortController | undefined;

/** The first signal asks the command to stop; a second one ends the program at once. */
function interruption(): AbortSignal {
  if (stopped === undefined) {
    const controller = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
    stopped = controller;
  }
  return stopped.signal;
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

/** A reader that went away (`kannuki … | head -1`) is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  now: () => performance.now(),
  ask: process.stdin.isTTY === true && process.stderr.isTTY === true ? ask : undefined,
  interruption,
});
