import { realpath, stat } from 'node:fs/promises';
import type { BlockDevice, CrypttabFact, FstabEntry, FstabFact } from './model.ts';
import { unescapeOctal } from './mount-table.ts';
import { type FactSources, isAbsence, readText, rooted } from './sources.ts';

/** Longer files are no tables of mounts. */
const lineLimit = 10_000;

/**
 * Lines of /etc/fstab that are no comments. `line` has one character for each byte (latin1), so that it can be found
 * and put back byte for byte; the fields are text.
 */
export async function readFstab(
  sources: Pick<FactSources, 'root'>,
  devices: readonly BlockDevice[],
): Promise<readonly FstabFact[]> {
  const facts: FstabFact[] = [];
  for (const { lineNumber, line } of await tableLines(sources, '/etc/fstab')) {
    const fields = fieldsOf(line);
    facts.push({ lineNumber, line, entry: await fstabEntry(sources, fields, devices) });
  }
  return facts;
}

/** Lines of /etc/crypttab that name a mapper and a device; crypttab(5). */
export async function readCrypttab(sources: Pick<FactSources, 'root'>): Promise<readonly CrypttabFact[]> {
  const facts: CrypttabFact[] = [];
  for (const { lineNumber, line } of await tableLines(sources, '/etc/crypttab')) {
    const [mapper, device, , options] = fieldsOf(line);
    if (mapper !== undefined && device !== undefined) {
      facts.push({ lineNumber, mapper, device, options: options?.split(',') ?? [] });
    }
  }
  return facts;
}

async function tableLines(
  sources: Pick<FactSources, 'root'>,
  path: string,
): Promise<readonly { readonly lineNumber: number; readonly line: string }[]> {
  const text = (await readText(sources, path, 'latin1')) ?? '';
  return text
    .split('\n', lineLimit)
    .map((line, index) => ({ lineNumber: index + 1, line }))
    .filter(({ line }) => !/^[ \t]*(?:#|$)/.test(line));
}

function fieldsOf(line: string): readonly string[] {
  const fields = line.split(/[ \t]+/).filter((field) => field !== '');
  const comment = fields.findIndex((field) => field.startsWith('#'));
  return (comment < 0 ? fields : fields.slice(0, comment)).map((field) =>
    Buffer.from(unescapeOctal(field), 'latin1').toString('utf8'),
  );
}

async function fstabEntry(
  sources: Pick<FactSources, 'root'>,
  fields: readonly string[],
  devices: readonly BlockDevice[],
): Promise<FstabEntry | null> {
  const [source, point, fileSystem, options = 'defaults', dump = '0', pass = '0'] = fields;
  if (source === undefined || point === undefined || fileSystem === undefined || fields.length > 6) return null;
  if (!/^\d{1,3}$/.test(dump) || !/^\d{1,3}$/.test(pass)) return null;
  const plainPoint = point === '/' ? point : point.replace(/\/+$/, '');
  const realPoint = await realFolder(sources, plainPoint);
  return {
    source,
    point: plainPoint,
    realPoint: realPoint ?? plainPoint,
    fileSystem,
    options: options.split(',').filter((option) => option !== ''),
    dump: Number(dump),
    pass: Number(pass),
    fieldCount: fields.length,
    device: (await deviceOfSource(sources, source, devices))?.kernelName ?? null,
    pointExists: realPoint !== undefined,
  };
}

/**
 * The device that the first field of fstab names; fstab(5): a tag, or a node below /dev.
 * Of several with one tag the first that nothing lies on: what lies on it carries the same tag.
 */
export async function deviceOfSource(
  sources: Pick<FactSources, 'root'>,
  source: string,
  devices: readonly BlockDevice[],
): Promise<BlockDevice | undefined> {
  const tag = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.*)$/.exec(source);
  if (tag !== null) {
    const value = (tag[2] ?? '').replace(/^"(.*)"$/, '$1');
    const named = devices.filter((device) => tagOf(device, tag[1] ?? '') === value);
    return named.find(({ children }) => children.length === 0) ?? named[0];
  }
  if (!source.startsWith('/dev/')) return undefined;
  const direct = devices.find(({ path, links }) => path === source || links.includes(source));
  if (direct !== undefined) return direct;
  try {
    const kernelName = /\/dev\/(.+)$/.exec(await realpath(rooted(sources, source)))?.[1]?.replaceAll('/', '!');
    return devices.find((device) => device.kernelName === kernelName);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function tagOf(device: BlockDevice, tag: string): string | null {
  if (tag === 'UUID') return device.signature?.uuid ?? null;
  if (tag === 'LABEL') return device.signature?.label ?? null;
  return tag === 'PARTUUID' ? device.partitionUuid : device.partitionLabel;
}

/** A folder's path without symbolic links; undefined when it is no folder or not there. `none` and `swap` are no paths. */
async function realFolder(sources: Pick<FactSources, 'root'>, path: string): Promise<string | undefined> {
  if (!path.startsWith('/')) return undefined;
  try {
    const real = await realpath(rooted(sources, path));
    if (!(await stat(real)).isDirectory()) return undefined;
    return sources.root === '/' ? real : real.slice(sources.root.length) || '/';
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
