import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, type Run, run } from '@kannuki/core';

/** Where facts come from. Tests put a folder in place of `/` and a recorder in place of the programs. */
export interface FactSources {
  readonly root: string;
  readonly run: Run;
}

export const thisMachine: FactSources = { root: '/', run };

/** A path of the machine as we have to open it. */
export function rooted(sources: Pick<FactSources, 'root'>, path: string): string {
  return sources.root === '/' ? path : join(sources.root, path);
}

/** Larger files than this are not configuration and not what the kernel writes below /proc. */
const textLimit = 16 * 1024 * 1024;

/**
 * A text file of the machine; undefined when it is not there.
 * @param encoding latin1 keeps every byte, one character each
 */
export async function readText(
  sources: Pick<FactSources, 'root'>,
  path: string,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<string | undefined> {
  try {
    return (await readFile(rooted(sources, path))).subarray(0, textLimit).toString(encoding);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw permissionError(error, path);
  }
}

const absence = new Set(['ENOENT', 'ENOTDIR', 'ESRCH']);

/** Whether a file is not there, or its process has ended meanwhile. */
export function isAbsence(error: unknown): boolean {
  return absence.has((error as NodeJS.ErrnoException).code ?? '');
}

/** @returns KNK-VOL-0102 for what only root may read, else the error itself */
export function permissionError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'EACCES' && code !== 'EPERM') return error;
  return new KannukiError('KNK-VOL-0102', { details: { path }, cause: error });
}

/** Runs a program that answers in JSON. @throws KannukiError KNK-VOL-0101 when the answer has not the form asked for */
export async function runForJson<Value>(
  sources: Pick<FactSources, 'run'>,
  program: string,
  args: readonly string[],
  read: (value: unknown) => Value,
): Promise<Value> {
  const { stdout } = await sources.run(program, args, { timeoutSeconds: 60 });
  try {
    return read(JSON.parse(stdout));
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : 'unknown';
    throw new KannukiError('KNK-VOL-0101', { details: { program, detail }, cause });
  }
}
