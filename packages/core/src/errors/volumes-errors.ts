import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-VOL. */
export const volumesErrors = {} as const satisfies Record<string, CatalogueEntry>;
