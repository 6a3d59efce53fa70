import type { Journal } from './journal.ts';
import { type EnginePaths, headerPath } from './paths.ts';

/** Where the header of a volume is: its file, or the device itself for a volume that was formatted with its header on it. */
export function headerPlace(journal: Pick<Journal, 'name' | 'header' | 'device'>, paths: EnginePaths): string {
  return journal.header.place === 'disk' ? journal.device.path : headerPath(paths, journal.name);
}
