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
      // A mapping may go away between the listing and the reading; one that is just going answers EINVAL.
      if (!['ENOENT', 'EINVAL', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return mappings;
}

export async function activeMapping(name: string): Promise<Mapping | undefined> {
  return (await activeMappings()).find((mapping) => mapping.name === name);
}

/**
 * What cryptsetup has put below a mapping for the time of its work (lib/luks2/luks2_reencrypt.c). Found while no cryptsetup
 * runs, it was killed in the middle of a piece.
 */
export async function conversionPieces(name: string): Promise<readonly Mapping[]> {
  const names = new Set(['overlay', 'hotzone-forward', 'hotzone-backward'].map((piece) => `${name}-${piece}`));
  return (await activeMappings()).filter((mapping) => names.has(mapping.name));
}
