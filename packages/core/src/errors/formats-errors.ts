import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-FMT. */
export const formatsErrors = {} as const satisfies Record<string, CatalogueEntry>;
