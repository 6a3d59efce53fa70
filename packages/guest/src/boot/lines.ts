import { readFile, stat } from 'node:fs/promises';
import { writeFileDurably } from '@kannuki/core';

/**
 * Changes to files of lines (fstab, crypttab) that keep every other byte as it was: odd spacing, comments, a missing newline at
 * the end, bytes that are no UTF-8 (hence latin1, which maps each byte to one character and back).
 * The permission bits of the file stay.
 */
const encoding = 'latin1';

/** Adds a line at the end unless one is there that counts as the same. A missing file is made. */
export async function appendLine(path: string, line: string, isSame: (line: string) => boolean): Promise<void> {
  const { text, mode } = await read(path);
  if (text.split('\n').some(isSame)) return;
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  await write(path, `${text}${separator}${line}\n`, mode);
}

/** Removes each line that fits; the file is not touched when none does. */
export async function removeLines(path: string, fits: (line: string) => boolean): Promise<void> {
  const { text, mode } = await read(path);
  const lines = text.split('\n');
  const kept = lines.filter((line) => !fits(line));
  if (kept.length !== lines.length) await write(path, kept.join('\n'), mode);
}

/** Replaces the one line. @returns whether the new line is there now; it is not when the old one was not found */
export async function replaceLine(path: string, oldLine: string, newLine: string): Promise<boolean> {
  const { text, mode } = await read(path);
  const lines = text.split('\n');
  const index = lines.indexOf(oldLine);
  if (index < 0) return lines.includes(newLine);
  lines[index] = newLine;
  await write(path, lines.join('\n'), mode);
  return true;
}

async function read(path: string): Promise<{ text: string; mode: number }> {
  try {
    return { text: await readFile(path, encoding), mode: (await stat(path)).mode & 0o7777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', mode: 0o644 };
    throw error;
  }
}

async function write(path: string, text: string, mode: number): Promise<void> {
  await writeFileDurably(path, Buffer.from(text, encoding), mode);
}
