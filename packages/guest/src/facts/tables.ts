import { realpath, stat } from 'node:fs/promises';
import { type FstabEntry as FormatEntry, parseCrypttab, parseFstab } from '@kannuki/formats';
import type { BlockDevice, CrypttabFact, FstabEntry, FstabFact } from './model.ts';
import { type FactSources, isAbsence, readText, rooted } from './sources.ts';

/**
 * Lines of /etc/fstab that are no comments. `line` has one character for each byte (latin1), so that it can be found
 * and put back byte for byte; the fields are text.
 */
export async function readFstab(
  sources: Pick<FactSources, 'root'>,
  devices: readonly BlockDevice[],
): Promise<readonly FstabFact[]> {
  const facts: FstabFact[] = [];
  for (const [index, line] of parseFstab(await readBytes(sources, '/etc/fstab')).lines.entries()) {
    if (/^[ \t]*(?:#|$)/.test(line.raw)) continue;
    facts.push({
      lineNumber: index + 1,
      line: line.raw + (line.end === '\r\n' ? '\r' : ''),
      entry: line.entry === null ? null : await fstabFact(sources, line.entry, devices),
    });
  }
  return facts;
}

/** Lines of /etc/crypttab that name a mapper and a device; crypttab(5). */
export async function readCrypttab(sources: Pick<FactSources, 'root'>): Promise<readonly CrypttabFact[]> {
  const { lines } = parseCrypttab(await readBytes(sources, '/etc/crypttab'));
  return lines.flatMap(({ entry }, index) =>
    entry === null ? [] : [{ lineNumber: index + 1, mapper: entry.name, device: entry.device, options: entry.options }],
  );
}

async function readBytes(sources: Pick<FactSources, 'root'>, path: string): Promise<Uint8Array> {
  return Buffer.from((await readText(sources, path, 'latin1')) ?? '', 'latin1');
}

async function fstabFact(
  sources: Pick<FactSources, 'root'>,
  entry: FormatEntry,
  devices: readonly BlockDevice[],
): Promise<FstabEntry> {
  const { source, mountPoint, type, options, dump, pass, fields } = entry;
  const realPoint = await realFolder(sources, mountPoint);
  return {
    source,
    point: mountPoint,
    realPoint: realPoint ?? mountPoint,
    fileSystem: type,
    options,
    dump,
    pass,
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
