import { type VolumeEngine, VolumeGrowth } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';

/** The columns of the matrix. */
export const matrixOperationNames = [
  'encrypt',
  'used-only',
  'decrypt',
  'rotate-passphrase',
  'rotate-volume-key',
  'format',
  'grow',
] as const;
export type MatrixOperationName = (typeof matrixOperationNames)[number];

/** What an operation works with inside the lab machine. */
export interface MatrixWorld {
  readonly engine: VolumeEngine;
  readonly vault: VaultPort;
  readonly vaultUrl: string;
  readonly kekId: string;
  /** Ends the work of a layout that is too large for it, once it is well under way. */
  readonly signal: AbortSignal | undefined;
}

/** One column: from which state of the volume to which, and how. */
export interface MatrixOperation {
  readonly needs: 'plain' | 'encrypted';
  readonly leaves: 'plain' | 'encrypted';
  /** Runs on one target. @throws KannukiError with findings when a check refuses */
  readonly run: (target: string, world: MatrixWorld) => Promise<void>;
}

/** An operation that is not in here has no cell, and a matrix with an empty cell fails. */
export const matrixOperations: Partial<Record<MatrixOperationName, MatrixOperation>> = {
  encrypt: {
    needs: 'plain',
    leaves: 'encrypted',
    run: async (target, { engine, vault, vaultUrl, kekId, signal }) => {
      const more = signal === undefined ? {} : { signal };
      await engine.encrypt(target, { vault, vaultAddress: vaultUrl, kekId, stopServices: false, ...more });
    },
  },
  grow: {
    needs: 'encrypted',
    leaves: 'encrypted',
    run: async (target, { vault }) => {
      await new VolumeGrowth().grow(target, () => vault);
    },
  },
};
