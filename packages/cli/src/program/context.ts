import type { Language, Text } from '@kannuki/core';
import type { ProgressReporter } from '../output/progress.ts';

/** A stream that people or programs read; `process.stdout` and `process.stderr` are some. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What the program touches outside itself; tests give their own. */
export interface Surroundings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Asks on the terminal; undefined where nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Aborts on the first Ctrl-C or SIGTERM. Until it is called, those end the program at once as usual. */
  readonly interruption: () => AbortSignal;
}

/** What a command may use besides its options. */
export interface CommandContext {
  readonly language: Language;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes a whole line to standard output now, e.g. `ready URL`. The result of a command is returned, not written. */
  writeLine(line: string): void;
  /** Tells people something on standard error; silent with `--quiet`. */
  say(message: Text): void;
  /** As `say`, only with `--verbose`. */
  detail(message: Text): void;
  /** Long work reports here: bar, lines or JSON events. */
  readonly progress: ProgressReporter;
  /** Before what cannot be undone. True at once with `--yes`. @throws KannukiError KNK-CLI-0008 where nobody can be asked */
  confirm(question: Text): Promise<boolean>;
  /** Reading it means: this command stops by itself on Ctrl-C and SIGTERM. Others are ended at once by the signal. */
  readonly signal: AbortSignal;
  readonly verbose: boolean;
}
