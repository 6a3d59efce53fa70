import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An active device-mapper mapping, as the kernel's sysfs has it. */
export interface Mapping {
  readonly name: string;
  /** `CRYPT-LUKS2-…` for mappings made by cryptsetup. */
  readonly uuid: string;
  /** Kernel name, dm-N. */
  readonly kernelName: string;
  /** Kernel names of the devices below. */
  readonly below: readonly string[];
  /** Kernel names of the devices on top. */
  readonly above: readonly string[];
}

/** All active mappings. dmsetup(8) speaks only to people; sysfs has the same facts one a file. */
export async function activeMappings(sysfs = '/sys'): Promise<readonly Mapping[]> {
  const names = await readdir(join(sysfs, 'block'));
  const mappings: Mapping[] = [];
  for (const kernelName of names.filter((name) => /^dm-\d+$/.test(name))) {
    const folder = join(sysfs, 'block', kernelName);
    try {
      mappings.push({
        kernelName,
        name: (await readFile(join(folder, 'dm/name'), 'utf8')).trim(),
        uuid: (await readFile(join(folder, 'dm/uuid'), 'utf8')).trim(),
        below: await readdir(join(folder, 'slaves')),
        above: await readdir(join(folder, 'holders')),
      });
    } catch (error) {
      // A mapping may go away between the listing and the reading.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return mappings;
}

export async function activeMapping(name: string): Promise<Mapping | undefined> {
  return (await activeMappings()).find((mapping) => mapping.name === name);
}
