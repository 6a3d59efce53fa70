import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-SRV. */
export const serverErrors = {} as const satisfies Record<string, CatalogueEntry>;
