import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-AGT. */
export const agentErrors = {} as const satisfies Record<string, CatalogueEntry>;
