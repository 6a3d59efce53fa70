import { dataDevice, dataMountPoint } from '../../../power-cut/small-vm.ts';
import { labVaultUrl } from '../../../torture/lab-vault.ts';
import { type Answer, kannuki } from './kannuki.ts';
import { differences, machineState } from './machine-state.ts';

/** One thing that is wrong with the machine or with the command, and what `disk encrypt` has to say to it. */
export interface BadInput {
  readonly name: string;
  /** Default: the data volume's mount point. */
  readonly target?: string;
  /** The disk that must keep its bytes. Default: that of the data volume. */
  readonly disk?: string;
  /** Default: the lab's vault, which is on no disk of the machine. */
  readonly vault?: string;
  /** Default: `kek`. */
  readonly kek?: string;
  /** Makes the machine bad. Default: it is good as it is. */
  readonly arrange?: () => Promise<Arranged>;
  readonly expects: Expected;
}

export interface Arranged {
  /** Makes the machine good again. */
  readonly undo: () => Promise<void>;
  /** What the findings must name. */
  readonly mentions?: string;
}

export interface Expected {
  /** As cli.md has it. */
  readonly exitCode: number;
  /** From the catalogue of errors. */
  readonly errorCode: string;
  /** Rules of all findings that refuse, each once, sorted. Default: there is no finding. */
  readonly rules?: readonly string[];
  /** Whether `disk check` finds the same, since a check of the machine and not the vault refuses. */
  readonly isChecked?: boolean;
}

export interface Outcome {
  readonly name: string;
  readonly expects: Expected;
  readonly mentions: string | null;
  readonly encrypt: Answer;
  readonly check: Answer | null;
  /** What is no longer as it was before the commands. */
  readonly changed: readonly string[];
}

export async function tryBadInput(bad: BadInput): Promise<Outcome> {
  const { name, expects, target = dataMountPoint, disk = dataDevice, vault = labVaultUrl, kek = 'kek' } = bad;
  const arranged = await bad.arrange?.();
  try {
    const before = await machineState(disk);
    const encrypt = await kannuki('disk', 'encrypt', target, '--vault', vault, '--kek', kek, '-o', 'json');
    const check = expects.isChecked === true ? await kannuki('disk', 'check', target, '-o', 'json') : null;
    const changed = differences(before, await machineState(disk));
    return { name, expects, mentions: arranged?.mentions ?? null, encrypt, check, changed };
  } finally {
    await arranged?.undo();
  }
}

/** What every refusal by a check of the machine looks like. */
export function refusedBy(...rules: readonly string[]): Expected {
  return { exitCode: 10, errorCode: 'KNK-VOL-0006', rules, isChecked: true };
}
