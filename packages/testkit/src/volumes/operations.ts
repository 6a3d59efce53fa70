import {
  decryption,
  type Encryption,
  endRandomKey,
  formatting,
  identityOf,
  inPlace,
  inPlaceBySpace,
  noVault,
  type Operation,
  readGuestFacts,
  resolveTargets,
  rotatePassphrase,
  rotateVolumeKey,
  takesRandomKey,
  type VolumeEngine,
  VolumeGrowth,
  withRandomKey,
} from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import type { Layout } from './layouts/layout.ts';
import type { Stage } from './result.ts';

/** The columns of the matrix, in the order in which a row runs them: what is encrypted becomes plain again before what begins with a plain volume. */
export const matrixOperationNames = [
  'encrypt',
  'rotate-passphrase',
  'rotate-volume-key',
  'grow',
  'decrypt',
  'used-only',
  'format',
] as const;
export type MatrixOperationName = (typeof matrixOperationNames)[number];

/** What an operation works with inside the lab machine. */
export interface MatrixWorld {
  readonly engine: VolumeEngine;
  readonly vault: VaultPort;
  readonly vaultUrl: string;
  readonly kekId: string;
  readonly layout: Layout;
  /** Ends the work on a layout that is too large for it, once it is well under way. */
  readonly signal: AbortSignal | undefined;
}

/** One column: from which state of the volume to which, and how. */
export interface MatrixOperation {
  /** `any`: an encrypted volume where there is a way to one, else it is done to a plain one. */
  readonly needs: 'plain' | 'encrypted' | 'any';
  readonly leaves: 'plain' | 'encrypted' | 'as-it-was';
  /** What a volume is listed as while its blocks are converted; left out where no block is, or the work does not follow the size. */
  readonly underway?: Stage['state'];
  /** What was on the volume is gone by intent. */
  readonly losesFiles?: true;
  /** What it has changed is tried out at once (the next boot's unlock), so it goes without a reboot of its own. */
  readonly sharesReboot?: true;
  /** The disks are larger when the machine is switched on for it, by so many MiB each. */
  readonly enlargesDisksMiB?: number;
  /** Runs on one target. @throws KannukiError with findings when a check refuses */
  readonly run: (target: string, world: MatrixWorld) => Promise<void>;
}

/** An operation that is not in here has no cell, and a matrix with an empty cell fails. */
export const matrixOperations: Partial<Record<MatrixOperationName, MatrixOperation>> = {
  encrypt: {
    needs: 'plain',
    leaves: 'encrypted',
    underway: 'EncryptionInProgress',
    run: async (target, world) => {
      if (await isForRandomKey(target)) await begin(target, world, withRandomKey({ mayLoseFiles: true }), noVault);
      else await begin(target, world, inPlace);
    },
  },
  'rotate-passphrase': {
    needs: 'encrypted',
    leaves: 'encrypted',
    sharesReboot: true,
    run: (target, world) => goOn(target, world, rotatePassphrase),
  },
  'rotate-volume-key': {
    needs: 'encrypted',
    leaves: 'encrypted',
    underway: 'Encrypted',
    run: (target, world) => goOn(target, world, rotateVolumeKey()),
  },
  decrypt: {
    needs: 'encrypted',
    leaves: 'plain',
    underway: 'DecryptionInProgress',
    run: async (target, world) => {
      const isRandom = (await world.engine.begun(target))?.operation === 'random-key';
      await goOn(target, world, isRandom ? endRandomKey : decryption({ stopServices: false }));
    },
  },
  'used-only': {
    needs: 'plain',
    leaves: 'encrypted',
    run: async (target, world) => {
      const options = { space: 'used', maximumDowntimeSeconds: null, rest: 'zeros', onChoice: () => {} } as const;
      await begin(target, world, inPlaceBySpace(options));
    },
  },
  format: {
    needs: 'plain',
    leaves: 'encrypted',
    losesFiles: true,
    run: async (target, world) => {
      const { blank } = world.layout;
      // As the program does it after its question: the volume as it is now may lose everything.
      const confirmed = blank === undefined ? (await volumesOf(target)).map(identityOf) : [];
      await begin(target, world, formatting({ confirmed, wipe: true, ...(blank === undefined ? {} : { blank }) }));
    },
  },
  grow: {
    needs: 'any',
    leaves: 'as-it-was',
    enlargesDisksMiB: 64,
    run: async (target, { vault }) => {
      await new VolumeGrowth().grow(target, () => vault);
    },
  },
};

async function begin(
  target: string,
  { engine, vault, vaultUrl, kekId, signal }: MatrixWorld,
  way: Encryption,
  vaultOfVolume: VaultPort = vault,
): Promise<void> {
  const key = vaultOfVolume === vault ? { vaultAddress: vaultUrl, kekId } : { vaultAddress: '', kekId: null };
  const more = signal === undefined ? {} : { signal };
  await engine.encrypt(target, { vault: vaultOfVolume, ...key, stopServices: false, ...more }, way);
}

async function goOn(target: string, { engine, vault, signal }: MatrixWorld, operation: Operation): Promise<void> {
  await engine.operate(target, operation, () => vault, signal);
}

async function volumesOf(target: string) {
  return resolveTargets(await readGuestFacts(), [target]);
}

/** The program asks the same: swap space and the temporary disk. */
async function isForRandomKey(target: string): Promise<boolean> {
  const facts = await readGuestFacts();
  const [volume] = await resolveTargets(facts, [target]);
  return volume !== undefined && takesRandomKey(facts, volume);
}
