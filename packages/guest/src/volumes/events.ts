import type { Finding, Text } from '@kannuki/core';
import type { OperationName } from './journal.ts';
import type { ProgressReport } from './progress-file.ts';

/** What the engine tells whoever shows or records its work. Handlers must not throw. */
export type EngineEvent =
  | { readonly kind: 'step'; readonly volume: string; readonly operation: OperationName; readonly step: string }
  | { readonly kind: 'progress'; readonly progress: ProgressReport }
  /** There is no second device for the header while it changes: see recovery/header-mirror.ts. */
  | { readonly kind: 'no-mirror'; readonly volume: string }
  /** Something that the owner should know and that did not stop the work. */
  | { readonly kind: 'note'; readonly volume: string; readonly text: Text }
  | {
      readonly kind: 'mounted';
      readonly volume: string;
      readonly point: string;
      readonly downtimeSeconds: number | null;
    }
  /** Something that the owner may want to know and that stops nothing. */
  | { readonly kind: 'finding'; readonly finding: Finding };

export type OnEngineEvent = (event: EngineEvent) => void;
