import type { EncryptionStep } from './journal.ts';
import type { ProgressReport } from './progress-file.ts';

/** What the engine tells whoever shows or records its work. Handlers must not throw. */
export type EngineEvent =
  | { readonly kind: 'step'; readonly volume: string; readonly step: EncryptionStep }
  | { readonly kind: 'progress'; readonly progress: ProgressReport }
  /** There is no second device for the header while it changes: see recovery/header-mirror.ts. */
  | { readonly kind: 'no-mirror'; readonly volume: string }
  | {
      readonly kind: 'mounted';
      readonly volume: string;
      readonly point: string;
      readonly downtimeSeconds: number | null;
    };

export type OnEngineEvent = (event: EngineEvent) => void;
