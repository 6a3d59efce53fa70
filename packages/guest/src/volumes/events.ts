import type { Text } from '@kannuki/core';
import type { OperationName } from './journal.ts';
import type { ProgressReport } from './progress-file.ts';

/** What the engine tells whoever shows or records its work. Handlers must not throw. */
export type EngineEvent =
  | { readonly kind: 'step'; readonly volume: string; readonly operation: OperationName; readonly step: string }
  | { readonly kind: 'progress'; readonly progress: ProgressReport }
  /** Something that the owner should know and that did not stop the work. */
  | { readonly kind: 'note'; readonly volume: string; readonly text: Text }
  | {
      readonly kind: 'mounted';
      readonly volume: string;
      readonly point: string;
      readonly downtimeSeconds: number | null;
    };

export type OnEngineEvent = (event: EngineEvent) => void;
