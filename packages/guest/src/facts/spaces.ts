import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { MountFact, SpaceFact } from './model.ts';
import { mountAt } from './mount-table.ts';
import { type FactSources, isAbsence, rooted } from './sources.ts';

/** Folders that must have room: where headers and journals go, and where the next initramfs goes. */
export const watchedFolders = { state: '/var/lib/kannuki', boot: '/boot' } as const;

/** Free space of the watched folders, statfs(2). */
export async function readSpaces(
  sources: Pick<FactSources, 'root'>,
  mounts: readonly MountFact[],
): Promise<readonly SpaceFact[]> {
  const spaces: SpaceFact[] = [];
  for (const path of Object.values(watchedFolders)) {
    const { bsize, bavail, files, ffree } = await statfsOfNearest(sources, path);
    spaces.push({
      path,
      freeBytes: bsize * bavail,
      freeInodes: files === 0 ? null : ffree,
      readOnly: mountAt(mounts, path)?.options.includes('ro') === true,
    });
  }
  return spaces;
}

async function statfsOfNearest(sources: Pick<FactSources, 'root'>, path: string): Promise<StatsFs> {
  try {
    return await statfs(rooted(sources, path));
  } catch (error) {
    if (!isAbsence(error) || path === '/') throw error;
    return statfsOfNearest(sources, dirname(path));
  }
}
