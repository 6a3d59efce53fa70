/** What a scenario needs, whatever the machine it runs in. */
export interface ScenarioOptions {
  /** TypeScript file that runs inside the machine; it reads its input and writes its result with `labInput` and `labResult`. */
  readonly scenario: string;
  /** What the scenario finds as its input; JSON. */
  readonly input?: unknown;
  /** Raw disk images on this machine; inside they are `labDisks()`, in this order. */
  readonly disks: readonly string[];
  readonly memoryMiB?: number;
  readonly timeoutSeconds?: number;
  /** Further TypeScript programs for the scenario to run: `{ kannuki: FILE }` is /mnt/lab/kannuki.mjs inside. */
  readonly programs?: Readonly<Record<string, string>>;
}

export interface ScenarioResult<Result> {
  readonly exitCode: number | null;
  readonly result: Result;
  readonly log: string;
}

/**
 * A machine with a scenario at work in it: user-mode Linux (`UmlMachine`, seconds) or QEMU (`QemuScenarioMachine`, a whole
 * Debian). Its disks are the given images: what is in them after the end or the power cut is what the disk had.
 */
export interface ScenarioMachine {
  /** Waits until the scenario has ended and gives its result; a machine that does not end in time is killed. */
  finish<Result>(): Promise<ScenarioResult<Result>>;
  /** Pulls the plug. @returns what the scenario had told by then; the machine is gone */
  powerCut(): Promise<readonly string[]>;
  /** Waits until the scenario has told (`labTell`) a line that fits. */
  waitFor(fits: (line: string) => boolean, timeoutSeconds?: number): Promise<void>;
}
