import type { Run } from '@kannuki/core';
import type { BootEntries } from '../../boot/boot-entries.ts';
import { activeMappings } from '../mapping.ts';
import { probeSignature } from '../mounting.ts';
import type { Use } from './use.ts';

/** An encrypted disk that carries a physical volume or a member of an array: others assemble and mount it (REQ-245 to REQ-252). */
export interface BareUse {
  readonly kind: 'bare';
  /** Where it was mounted before, which goes on being its name. */
  readonly name: string;
  readonly mapper: string;
  readonly type: string;
  readonly uuid: string;
}

export class BareDevice implements Use {
  readonly #use: BareUse;

  constructor(use: BareUse) {
    this.#use = use;
  }

  get name(): string {
    return this.#use.name;
  }

  get contentType(): string {
    return this.#use.type;
  }

  get wanted(): string {
    return `${this.#use.type} ${this.#use.uuid}`;
  }

  async isInUse(): Promise<boolean> {
    const mappings = await activeMappings();
    const own = mappings.find(({ name }) => name === this.#use.mapper);
    return own !== undefined && own.above.length > 0;
  }

  /** What lies on it is for others to take down; then there is nothing to let go of. */
  async leave(): Promise<boolean> {
    return !(await this.isInUse());
  }

  async enter(): Promise<void> {}

  async probe(device: string, run: Run): Promise<string | undefined> {
    return probeBare(device, run);
  }

  get wasInUse(): boolean {
    return true;
  }

  async makeAnew(): Promise<never> {
    throw new Error(`${this.name} holds data`);
  }

  enterByHand(device: string): string {
    return this.#use.type === 'LVM2_member' ? `pvs ${device}` : `mdadm --examine ${device}`;
  }

  leaveByHand(): string {
    return 'true';
  }

  async unitsInTheWay(): Promise<readonly string[]> {
    return [];
  }

  bootEntries(): BootEntries {
    return { mountsLine: null, units: [], conversionUnits: [], fstab: [] };
  }
}

/** What others assemble: a physical volume of LVM, or a member of an array. */
export async function probeBare(device: string, run: Run): Promise<string | undefined> {
  const found = await probeSignature(run, device, 'raid');
  return found === undefined ? undefined : `${found.type} ${found.uuid}`;
}

export function isBareUse(use: unknown): use is BareUse {
  const bare = use as Partial<BareUse> | null | undefined;
  return (
    bare?.kind === 'bare' &&
    typeof bare.name === 'string' &&
    typeof bare.mapper === 'string' &&
    typeof bare.type === 'string' &&
    typeof bare.uuid === 'string'
  );
}
