import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';

/** What a scenario uses inside a lab machine. */
const share = '/mnt/lab';

interface Input<Value> {
  readonly input: Value;
  readonly keep: string | null;
  readonly disks: readonly string[];
}

/** The input that the test gave; also makes /mnt/keep appear when the test named a folder to keep. */
export async function labInput<Value>(): Promise<Value> {
  const { input, keep } = JSON.parse(readFileSync(`${share}/input.json`, 'utf8')) as Input<Value>;
  if (keep !== null && !existsSync('/mnt/keep')) {
    mkdirSync('/mnt/keep');
    await run('mount', ['-t', 'hostfs', '-o', keep, 'none', '/mnt/keep']);
  }
  return input;
}

/** The machine's disks, in the order in which the test gave them: devices have other names in each kind of machine. */
export function labDisks(): readonly string[] {
  return (JSON.parse(readFileSync(`${share}/input.json`, 'utf8')) as Input<unknown>).disks;
}

/** Hands the result to the test that waits outside. */
export function labResult(result: unknown): void {
  writeFileSync(`${share}/result.new`, JSON.stringify(result));
  renameSync(`${share}/result.new`, `${share}/result.json`);
}

/** Tells the test outside something while the machine goes on, e.g. that the moment for a power cut has come. */
export function labTell(line: string): void {
  appendFileSync(`${share}/told`, `${line}\n`);
}
