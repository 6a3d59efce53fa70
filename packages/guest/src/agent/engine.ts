import type { VolumeStatus } from '@kannuki/core';
import type { VaultPort } from '@kannuki/keyvault';
import type { Outcome } from '../volumes/side-by-side.ts';
import type { VaultOf } from '../volumes/vault-of.ts';

/** What the agent needs of the volume engine (packages/guest/src/volumes/engine.ts is one). */
export interface AgentEngine {
  /** Every volume as kernel and headers say it now; may be called while work runs. */
  list(): Promise<readonly VolumeStatus[]>;
  /** What has been begun on this VM. */
  journals(): Promise<readonly EngineJournal[]>;
  /** From the checks to the last block; ends early, to be resumed, when the signal aborts. */
  encrypt(target: string, request: EngineRequest): Promise<{ readonly downtimeSeconds: number | null }>;
  /** Does something for several volumes, at the same time where their disks allow; one that fails does not stop the others. */
  sideBySide<Result>(
    targets: readonly string[],
    action: (target: string) => Promise<Result>,
  ): Promise<readonly Outcome<Result>[]>;
  /** Brings everything that was begun to its end. */
  resume(vaultOf: VaultOf, signal?: AbortSignal): Promise<readonly EngineProblem[]>;
  /** Unmounts the key volume; asked for only when no volume is locked. @returns whether it is mounted nowhere now */
  leaveKeyVolume(): Promise<boolean>;
  /** Opens and mounts what should be open and is not. */
  unlock(vaultOf: VaultOf): Promise<readonly EngineProblem[]>;
}

export interface EngineJournal {
  readonly step: string;
  readonly vaultUri: string;
  /** What people call the volume: its mount point where it has one. */
  readonly point: string;
  readonly downtimeSeconds: number | null;
}

export interface EngineRequest {
  readonly vault: VaultPort;
  readonly kekId: string | null;
  readonly stopServices: boolean;
  readonly keyVolumeUuid: string | null;
  readonly signal: AbortSignal;
}

export interface EngineProblem {
  readonly volume: string;
  readonly point: string;
  readonly error: unknown;
}
