import type { AgentClient } from './agent-client.ts';
import type { AgentStore } from './agent-store.ts';
import type { AgentEngine } from './engine.ts';

export type AgentEvent =
  | { readonly kind: 'goal'; readonly generation: number; readonly targets: readonly string[] }
  | { readonly kind: 'volume-done'; readonly target: string }
  | { readonly kind: 'problem'; readonly target: string; readonly error: unknown }
  | { readonly kind: 'server-lost'; readonly error: unknown }
  | { readonly kind: 'server-back' }
  | { readonly kind: 'certificate-renewed' };

/** How often the agent does what; milliseconds. */
export interface AgentPace {
  /** Status while work is under way. */
  readonly reportBusy: number;
  /** Status while nothing happens. */
  readonly reportIdle: number;
  /** First and longest wait after a failed call or a failed step. */
  readonly retryFirst: number;
  readonly retryLongest: number;
  /** systemd gets so long to open volumes with the key volume before the agent does it with the vault. */
  readonly unlockGrace: number;
  readonly renewCheck: number;
}

export const defaultPace: AgentPace = {
  reportBusy: 2_000,
  reportIdle: 15_000,
  retryFirst: 2_000,
  retryLongest: 120_000,
  unlockGrace: 60_000,
  renewCheck: 3_600_000,
};

export interface RunAgentOptions {
  readonly engine: AgentEngine;
  readonly client: AgentClient;
  readonly store: AgentStore;
  /** Changes with every boot of the machine. */
  readonly bootId: string;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: AgentEvent) => void;
  readonly pace?: Partial<AgentPace>;
}
