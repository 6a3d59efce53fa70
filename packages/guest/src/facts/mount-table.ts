import type { MountFact } from './model.ts';
import { type FactSources, readText } from './sources.ts';

/** Mounts of our own mount namespace, in the kernel's order. */
export async function readMounts(sources: Pick<FactSources, 'root'>): Promise<readonly MountFact[]> {
  return parseMountTable((await readText(sources, '/proc/self/mountinfo')) ?? '');
}

/** More mounts than any machine has; what is beyond would only be there to keep us busy. */
const mountLimit = 100_000;

/** The text of a mountinfo file, proc_pid_mountinfo(5). Lines of another form are left out. */
export function parseMountTable(text: string): readonly MountFact[] {
  const mounts: MountFact[] = [];
  for (const line of text.split('\n', mountLimit)) {
    const mount = parseLine(line);
    if (mount !== undefined) mounts.push(mount);
  }
  return mounts;
}

function parseLine(line: string): MountFact | undefined {
  const fields = line.split(' ');
  const separator = fields.indexOf('-', 6);
  const [id, parentId, number, root, point, mountOptions] = fields;
  const [fileSystem, source, superOptions] = fields.slice(separator + 1);
  if (separator < 0 || source === undefined || point === undefined || root === undefined) return undefined;
  if (number === undefined || !/^\d+:\d+$/.test(number)) return undefined;
  const tags = fields.slice(6, separator);
  return {
    id: Number(id),
    parentId: Number(parentId),
    number,
    root: unescapeOctal(root),
    point: unescapeOctal(point),
    options: [...new Set(`${mountOptions},${superOptions ?? ''}`.split(',').filter((option) => option !== ''))],
    fileSystem: fileSystem ?? '',
    source: unescapeOctal(source),
    sharedGroup: peerGroup(tags, 'shared:'),
    masterGroup: peerGroup(tags, 'master:'),
  };
}

function peerGroup(tags: readonly string[], prefix: string): number | null {
  const tag = tags.find((one) => one.startsWith(prefix));
  return tag === undefined ? null : Number(tag.slice(prefix.length));
}

/** Blank, tab, newline, `#` and backslash are written as `\ooo` in mountinfo, swaps and fstab; fstab(5). */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The mount that a path leads to: of all that lie above it the deepest, of several there the last. */
export function mountAt(mounts: readonly MountFact[], path: string): MountFact | undefined {
  let found: MountFact | undefined;
  for (const mount of mounts) {
    if (!isInside(path, mount.point)) continue;
    if (found === undefined || mount.point.length >= found.point.length) found = mount;
  }
  return found;
}

/** Whether a path is a folder or lies below it. */
export function isInside(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
