import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-HST. */
export const hostErrors = {} as const satisfies Record<string, CatalogueEntry>;
