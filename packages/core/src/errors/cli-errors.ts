import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-CLI. */
export const cliErrors = {} as const satisfies Record<string, CatalogueEntry>;
