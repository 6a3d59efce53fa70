import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type FactSources, isAbsence, rooted } from './sources.ts';

const linkLimit = 20_000;
/** mdadm(8) makes names of arrays below /dev/md by itself where no udev runs. */
const places = ['/dev/disk', '/dev/md'];

/**
 * All links below /dev/disk and /dev/md, by the kernel name of the device that they lead to. None below /dev/disk where no udev runs.
 * @example (await readDeviceLinks(sources)).get('sdc1') // ['/dev/disk/by-id/scsi-3600…-part1', …]
 */
export async function readDeviceLinks(
  sources: Pick<FactSources, 'root'>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const links = new Map<string, string[]>();
  for (const place of places) {
    const folder = rooted(sources, place);
    for (const name of (await listLinks(folder)).slice(0, linkLimit).sort()) {
      const target = await targetOf(join(folder, name));
      if (target === undefined) continue;
      links.set(target, [...(links.get(target) ?? []), `${place}/${name}`]);
    }
  }
  return links;
}

async function listLinks(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** Nodes of devices have the kernel's name, with `/` for what sysfs writes as `!`. */
async function targetOf(link: string): Promise<string | undefined> {
  try {
    return /\/dev\/(.+)$/.exec(await realpath(link))?.[1]?.replaceAll('/', '!');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
