import type { Run } from '@kannuki/core';
import type { EscrowReceipt, VaultPort } from '@kannuki/keyvault';
import type { ChooseTuning } from '../tuning/choose-tuning.ts';
import type { Cipher } from '../tuning/tuning.ts';
import type { OnEngineEvent } from './events.ts';
import type { FinishingCheck } from './finishing-check.ts';
import type { Journal, OperationName } from './journal.ts';
import type { Encryption } from './operations/operation.ts';
import type { PaceSetting } from './pace/pace-file.ts';
import type { WhenPaused } from './pace/pace-keeper.ts';
import type { EnginePaths } from './paths.ts';
import { useOf } from './uses/uses.ts';

export interface EngineOptions {
  readonly paths?: EnginePaths;
  readonly run?: Run;
  readonly onEvent?: OnEngineEvent;
  /** Runs right before a volume is unmounted, so that a program which owns it can close its files. */
  readonly beforeUnmount?: (point: string) => Promise<void>;
  readonly finishingCheck?: FinishingCheck;
  /** What to do with a volume whose owner has paused the work on it. Default: wait. */
  readonly whenPaused?: WhenPaused;
  /** Default: a short measurement on this machine (chooseTuning). */
  readonly chooseTuning?: ChooseTuning;
}

export interface EncryptRequest {
  readonly vault: VaultPort;
  readonly kekId: string | null;
  /** How the vault is opened again after a reboot; default its own address. */
  readonly vaultAddress?: string;
  /** Stop units with open files for the unmount and start them again after the mount. */
  readonly stopServices: boolean;
  /** vfat id of the key volume that the host will attach at boot; null: the agent unlocks with the vault. */
  readonly keyVolumeUuid?: string | null;
  /** Bytes a second, on average; default as fast as it goes. */
  readonly maximumRate?: number | null;
  /** Default AES-256 in XTS. */
  readonly cipher?: Cipher;
  readonly signal?: AbortSignal;
}

/** One of several volumes to encrypt. */
export interface EncryptionJob {
  readonly target: string;
  readonly request: EncryptRequest;
  readonly way: Encryption;
}

export interface PacedVolume extends PaceSetting {
  readonly volume: string;
}

export interface JournalSummary {
  readonly name: string;
  readonly operation: OperationName;
  /** The last complete step; `finished` when nothing is left to do. */
  readonly step: string;
  /** What people call the volume: its mount point where it has one. */
  readonly point: string;
  readonly vaultUri: string;
  /** Where its passphrase is in the vault; null before the escrow. */
  readonly passphrase: EscrowReceipt | null;
  readonly downtimeSeconds: number | null;
}

/** A volume that could not be unlocked or finished, and why; the others went on. */
export interface VolumeProblem {
  readonly volume: string;
  readonly point: string;
  readonly error: unknown;
}

export function summaryOf(journal: Journal): JournalSummary {
  const { name, operation, step, vaultUri, passphrase, downtimeSeconds } = journal;
  return { name, operation, step, point: useOf(journal).name, vaultUri, passphrase, downtimeSeconds };
}
