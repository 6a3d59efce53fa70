import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KannukiError, type Run, type RunResult } from '@kannuki/core';
import type { FactSources } from '../sources.ts';

/** What a program answers in a test: its output, or its exit code with an output. */
type Answer = string | { readonly exitCode: number; readonly stdout: string };

export interface FakeMachine extends FactSources, Disposable {
  /** Programs that were run, as command lines. */
  readonly ran: readonly string[];
}

/**
 * A root folder in place of `/`, and answers in place of programs; a program without an answer is not installed.
 * @param files content by path; `{ link }` makes a symbolic link, whose target is taken below the root when it is absolute
 * @param answers by command line, or by program where all its calls have one answer
 */
export function fakeMachine(
  files: Readonly<Record<string, string | { readonly link: string }>>,
  answers: Readonly<Record<string, Answer>> = {},
): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'kannuki-facts-'));
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === 'string') writeFileSync(target, content, 'latin1');
    else symlinkSync(content.link.startsWith('/') ? join(root, content.link) : content.link, target);
  }
  const ran: string[] = [];
  const run: Run = async (program, args, options = {}) => {
    const line = [program, ...args].join(' ');
    ran.push(line);
    const answer = answers[line] ?? answers[program];
    if (answer === undefined) throw new KannukiError('KNK-CMD-0002', { details: { program } });
    const result: RunResult =
      typeof answer === 'string' ? { exitCode: 0, stdout: answer, stderr: '' } : { ...answer, stderr: '' };
    if (!(options.accept ?? [0]).includes(result.exitCode)) {
      throw new KannukiError('KNK-CMD-0001', { details: { program, result: `code ${result.exitCode}`, detail: '' } });
    }
    return result;
  };
  return { root, run, ran, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
