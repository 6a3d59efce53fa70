import type { VolumeEngine } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';

/** What an operation finds inside the lab machine: the data volume is mounted at `point`, a program writes to it. */
export interface OperationWorld {
  readonly fileSystem: 'ext4' | 'xfs';
  readonly point: string;
  readonly vault: VaultPort;
  readonly kekId: string | null;
  /** An engine whose steps go on record and that has the writer close its files before an unmount. */
  readonly engine: VolumeEngine;
  /** Puts on record that this has happened, e.g. `window:NAME:begin` and `window:NAME:end` around a place to aim cuts at. */
  mark(text: string): Promise<void>;
  /** What was promised until now may go (a volume is formatted): only files written after this are promises again. */
  forgetFiles(): Promise<void>;
}

/** Operation and step of a journal. */
export interface FoundJournal {
  readonly operation: string;
  readonly step: string;
}

/** What must be so once the boot after a power cut has done its work. */
export interface End {
  /** States of `kannuki disk list`, any of them. */
  readonly states: readonly string[];
  /** Whether the raw data partition may hold what the files hold. */
  readonly plaintextMayBeLeft: boolean;
}

/** One operation of the volume engine, as the power-cut tests need it. A file each in this folder; operations.ts lists them. */
export interface Operation {
  readonly name: string;
  /** The steps of its plan in their order, as the engine's events name them. Each must be hit by a cut. */
  readonly steps: readonly string[];
  /** Steps between which cryptsetup converts blocks: its end is a window of its own (docs/volumes.md, "The finishing check"). */
  readonly conversion: { readonly after: string; readonly until: string } | null;
  /** When the program in the VM goes on writing: right after the first step, or only once the engine has mounted the volume. */
  readonly writerGoesOn: 'at-first-step' | 'when-mounted';
  /** File systems that it is for; default all of the power-cut tests. */
  readonly fileSystems?: readonly ('ext4' | 'xfs')[];
  /** Parts of the run, from one step's record to another's, that get cuts of their own beside the end of the conversion. */
  readonly windows?: readonly { readonly name: string; readonly after: string; readonly until: string }[];
  /** Before the files are written, e.g. to have them lie at a certain place. */
  furnish?(point: string): Promise<void>;
  /** Brings the volume to where the operation begins, e.g. encrypts it. Before the record, without cuts. */
  prepare(world: OperationWorld): Promise<void>;
  /** The whole operation. It must also be what a person without an agent types again after a power cut. */
  work(world: OperationWorld): Promise<void>;
  /** @param found the journal as the boot after the cut found it; null: there was none */
  end(found: FoundJournal | null): End;
  /** Further facts that must hold after the recovery; runs inside, the volume mounted. @returns what is wrong, in words */
  wrongs?(world: OperationWorld): Promise<readonly string[]>;
}
