import { realpath } from 'node:fs/promises';
import type { Run } from '@kannuki/core';
import type { BootEntries } from '../../boot/boot-entries.ts';
import { movedLine } from '../../boot/fstab-lines.ts';
import { swapUnitFiles } from '../../boot/units.ts';
import { probe } from '../../facts/signature.ts';
import { readSwaps } from '../../facts/swaps-and-loops.ts';
import type { Use } from './use.ts';

/** A swap partition, or any block device used like one. */
export interface SwapUse {
  readonly kind: 'swap';
  /** The plain device, and the name of the mapping over it. */
  readonly device: string;
  readonly mapper: string;
  /** UUID and label of the plain swap space, for the way back. */
  readonly uuid: string;
  readonly label: string;
  /** Options of fstab(5), e.g. `sw,pri=5`. */
  readonly options: string;
  readonly wasActive: boolean;
  /** null: it was switched on by hand, and no line tells of it. */
  readonly originalLine: string | null;
}

export class SwapSpace implements Use {
  readonly #use: SwapUse;

  constructor(use: SwapUse) {
    this.#use = use;
  }

  get name(): string {
    return this.#use.device;
  }

  get contentType(): string {
    return 'swap';
  }

  get wanted(): string {
    return 'swap';
  }

  get wasInUse(): boolean {
    return this.#use.wasActive;
  }

  async isInUse(): Promise<boolean> {
    return (await this.#active()).length > 0;
  }

  /** swapoff(8) fails when memory cannot take what is in the swap space; then it is on as before. */
  async leave(run: Run): Promise<boolean> {
    for (const path of await this.#active()) {
      const { exitCode } = await run('swapoff', [path], { accept: swapoffFailures, timeoutSeconds: 3600 });
      if (exitCode !== 0) return false;
    }
    return true;
  }

  async enter(device: string, run: Run): Promise<void> {
    // Not --options: util-linux 2.38 takes that for one whose value is optional, and the list for a device.
    await run('swapon', ['-o', this.#use.options, device], { timeoutSeconds: 60 });
  }

  async probe(device: string, run: Run): Promise<string | undefined> {
    return (await probeSwap(run, device)) === undefined ? undefined : 'swap';
  }

  async makeAnew(device: string, run: Run): Promise<void> {
    await run('mkswap', [device], { timeoutSeconds: 300 });
  }

  enterByHand(device: string): string {
    return `mkswap ${device} && swapon ${device}`;
  }

  leaveByHand(): string {
    return `swapoff /dev/mapper/${this.#use.mapper}`;
  }

  async unitsInTheWay(): Promise<readonly string[]> {
    return [];
  }

  bootEntries(mapper: string): BootEntries {
    const { options, originalLine } = this.#use;
    return {
      mountsLine: `/dev/mapper/${mapper} none swap ${options} 0 0`,
      units: swapUnitFiles(mapper, options),
      conversionUnits: [],
      fstab: originalLine === null ? [] : [{ original: originalLine, moved: movedLine(originalLine) }],
    };
  }

  /** The kernel lists the nodes themselves, not the links that we know them by. */
  async #active(): Promise<readonly string[]> {
    const swaps = await readSwaps({ root: '/' });
    const ours = new Set(await Promise.all([this.#use.device, `/dev/mapper/${this.#use.mapper}`].map(nodeOf)));
    const nodes = await Promise.all(swaps.map(async ({ path }) => ({ path, node: await nodeOf(path) })));
    return nodes.filter(({ node }) => ours.has(node)).map(({ path }) => path);
  }
}

/** swapoff(8): 2 and 4 are out of memory and failures of swapoff(2); 8 and above are of other kinds, and errors here too. */
const swapoffFailures = [0, 1, 2, 4, 8, 16, 32, 64] as const;

async function nodeOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path;
    throw error;
  }
}

/** Swap space that is not a hibernated machine. */
export async function probeSwap(run: Run, device: string): Promise<{ readonly uuid: string | null } | undefined> {
  const { signature } = await probe(run, device);
  return signature?.type === 'swap' ? { uuid: signature.uuid } : undefined;
}

export function isSwapUse(use: unknown): use is SwapUse {
  const swap = use as Partial<SwapUse> | null | undefined;
  return (
    swap?.kind === 'swap' &&
    typeof swap.device === 'string' &&
    typeof swap.mapper === 'string' &&
    typeof swap.uuid === 'string' &&
    typeof swap.label === 'string' &&
    typeof swap.options === 'string' &&
    typeof swap.wasActive === 'boolean' &&
    (swap.originalLine === null || typeof swap.originalLine === 'string')
  );
}
