import { readdir } from 'node:fs/promises';
import type { LoopFact, SwapFact } from './model.ts';
import { unescapeOctal } from './mount-table.ts';
import { type FactSources, isAbsence, readText, rooted } from './sources.ts';

/** Swap spaces in use, /proc/swaps; proc_swaps(5). */
export async function readSwaps(sources: Pick<FactSources, 'root'>): Promise<readonly SwapFact[]> {
  const lines = ((await readText(sources, '/proc/swaps')) ?? '').split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 5)
    .map(([path = '', kind]) => ({ path: unescapeOctal(path), kind: kind === 'partition' ? 'partition' : 'file' }));
}

/** Loop devices in use and the files below them: such a file keeps its file system busy, and no process shows it. */
export async function readLoops(sources: Pick<FactSources, 'root'>): Promise<readonly LoopFact[]> {
  let names: readonly string[];
  try {
    names = await readdir(rooted(sources, '/sys/block'));
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
  const loops: LoopFact[] = [];
  for (const kernelName of names.filter((name) => /^loop\d+$/.test(name))) {
    const file = await readText(sources, `/sys/block/${kernelName}/loop/backing_file`);
    if (file !== undefined) loops.push({ kernelName, file: file.replace(/\n$/, '') });
  }
  return loops;
}
