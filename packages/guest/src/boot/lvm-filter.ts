import type { Run } from '@kannuki/core';

/**
 * Patterns of LVM's `global_filter`, lvm.conf(5). While a disk is converted its first blocks are as they were for a moment, so that LVM would see one
 * physical volume twice: on the disk and on the mapping. The disk has to be hidden, by a name that lasts.
 */
export function rejecting(device: string): string {
  // Character classes, since a backslash would have to be escaped for the configuration and for the pattern.
  return `r|^${device.replace(/[.+*?()[\]{}|^$\\]/g, (character) => (character === '\\' ? '.' : `[${character}]`))}$|`;
}

/** As lvm.conf(5) writes a list of strings. */
export function filterList(patterns: readonly string[]): string {
  return `[ ${patterns.map((pattern) => JSON.stringify(pattern)).join(', ')} ]`;
}

/** lvmconfig(8): 5 = the setting is nowhere. */
const notSet = 5;

/** What is in force now, from all files of LVM's configuration. lvmconfig has no JSON; a value is written as in lvm.conf. */
export async function readGlobalFilter(run: Run): Promise<readonly string[]> {
  const { exitCode, stdout } = await run('lvmconfig', ['devices/global_filter'], { accept: [0, notSet] });
  if (exitCode === notSet) return [];
  const value = /^global_filter=(.*)$/m.exec(stdout)?.[1] ?? '';
  return [...value.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([text]) => JSON.parse(text) as string);
}

const begin = '# kannuki begin: disks below encrypted physical volumes; behind them the patterns of before';
const afterNewline = ' (newline added)';
const end = '# kannuki end';
const block = new RegExp(`${begin}(?:${afterNewline.replace(/[()]/g, '\\$&')})?\\n([^]*?)${end}\\n`);

/**
 * lvmlocal.conf with a device hidden. Our block is the last of the file and so the one that counts.
 * @param text the file as it is
 * @param before what is in force without us
 */
export function withHidden(text: string, volume: string, device: string, before: readonly string[]): string {
  const ours = ourLines(text);
  if (ours.some((line) => line.endsWith(`# ${volume}`))) return text;
  const kept = ours.length === 0 ? before : theirPatterns(text);
  const lines = [...ours, `  ${JSON.stringify(rejecting(device))}, # ${volume}`];
  return written(withoutBlock(text), lines, kept);
}

/** The opposite; with the last device the block goes, and the file is as it was. */
export function withoutHidden(text: string, volume: string): string {
  const ours = ourLines(text);
  const left = ours.filter((line) => !line.endsWith(`# ${volume}`));
  if (left.length === ours.length) return text;
  return left.length === 0 ? withoutBlock(text) : written(withoutBlock(text), left, theirPatterns(text));
}

function written(text: string, ours: readonly string[], theirs: readonly string[]): string {
  const needsNewline = text !== '' && !text.endsWith('\n');
  const patterns = theirs.length === 0 ? [] : [`  ${theirs.map((pattern) => JSON.stringify(pattern)).join(', ')}`];
  // A comma before the bracket is an error of syntax.
  const last = patterns.length === 0 ? [...ours.slice(0, -1), (ours.at(-1) ?? '').replace(', #', ' #')] : ours;
  const lines = [
    `${begin}${needsNewline ? afterNewline : ''}`,
    'devices/global_filter = [',
    ...last,
    ...patterns,
    ']',
    end,
    '',
  ];
  return `${text}${needsNewline ? '\n' : ''}${lines.join('\n')}`;
}

function bodyLines(text: string): readonly string[] {
  return (block.exec(text)?.[1] ?? '').split('\n').slice(1, -2);
}

function ourLines(text: string): readonly string[] {
  return bodyLines(text)
    .filter((line) => / # \S+$/.test(line))
    .map((line) => line.replace(/"(,?) #/, '", #'));
}

function theirPatterns(text: string): readonly string[] {
  const line = bodyLines(text).find((one) => !/ # \S+$/.test(one)) ?? '';
  return [...line.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([pattern]) => JSON.parse(pattern) as string);
}

function withoutBlock(text: string): string {
  const found = block.exec(text);
  if (found === null) return text;
  const before = text.slice(0, found.index);
  const hadNewline = found[0].startsWith(`${begin}${afterNewline}`);
  return (hadNewline ? before.slice(0, -1) : before) + text.slice(found.index + found[0].length);
}
