import { type RenderedFinding, run } from '@kannuki/core';

/** What the program answered, as a script of a user sees it. */
export interface Answer {
  readonly exitCode: number;
  /** From `{"error":{"code"}}` on standard output; null where there is no error. */
  readonly errorCode: string | null;
  readonly findings: readonly RenderedFinding[];
  readonly stdout: string;
  readonly stderr: string;
}

/** Any exit code is an answer; what it should be is for the test to say. */
const everyExitCode = Array.from({ length: 256 }, (_, code) => code);

/** Runs `kannuki WORDS` as a process of its own: the real program, bundled into one file. */
export async function kannuki(...words: readonly string[]): Promise<Answer> {
  const { exitCode, stdout, stderr } = await run(process.execPath, ['/mnt/lab/kannuki.mjs', ...words], {
    accept: everyExitCode,
    timeoutSeconds: 300,
  });
  const told = lastJson(stdout) as Partial<Told> | null;
  return { exitCode, errorCode: told?.error?.code ?? null, findings: told?.findings ?? [], stdout, stderr };
}

interface Told {
  readonly error: { readonly code: string };
  readonly findings: readonly RenderedFinding[];
}

/** Standard output is one JSON value, or with `--progress json` one on each line. */
function lastJson(stdout: string): unknown {
  const text = stdout.trim();
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    const [last = ''] = text.split('\n').slice(-1);
    if (!last.startsWith('{') && !last.startsWith('[')) throw error;
    return JSON.parse(last);
  }
}
