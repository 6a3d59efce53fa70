import { freshLayouts } from './fresh.ts';
import type { Layout } from './layout.ts';
import { lvmLayouts } from './lvm.ts';
import { mdLayouts } from './md.ts';
import { plainLayouts } from './plain.ts';
import { refusedLayouts } from './refused.ts';
import { sectorLayouts } from './sectors.ts';

/** The rows of the matrix. */
export const layouts: readonly Layout[] = [
  ...plainLayouts,
  ...freshLayouts,
  ...mdLayouts,
  ...lvmLayouts,
  ...sectorLayouts,
  ...refusedLayouts,
];

/** @throws Error when there is no such row */
export function layoutNamed(name: string): Layout {
  const found = layouts.find((layout) => layout.name === name);
  if (found === undefined) throw new Error(`no layout ${name}`);
  return found;
}
