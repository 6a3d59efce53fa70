import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-KVT. */
export const keyvaultErrors = {} as const satisfies Record<string, CatalogueEntry>;
