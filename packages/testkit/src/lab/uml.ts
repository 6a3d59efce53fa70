import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillShare } from './bundle-programs.ts';
import type { ScenarioMachine, ScenarioOptions, ScenarioResult } from './scenario-machine.ts';

/** The lab's quick machine: a whole Linux kernel with dm-crypt as an ordinary process, up in about two seconds. */
export interface UmlOptions extends ScenarioOptions {
  /** A folder that outlives the machine, seen inside as /mnt/keep: the place of the vault, which is not the VM's. */
  readonly keep?: string;
  /** Further words for the kernel's command line. */
  readonly kernelArguments?: readonly string[];
}

export class LabError extends Error {
  override readonly name = 'LabError';
  /** What the scenario had given until then; null: nothing. */
  readonly result: unknown;

  constructor(message: string, result: unknown = null) {
    super(message);
    this.result = result;
  }
}

const kernel = '/usr/bin/linux.uml';
const modules = '/usr/lib/uml/modules';
const defaultTimeoutSeconds = 120;

/** A running lab machine. */
export class UmlMachine implements ScenarioMachine {
  readonly #child: ChildProcess;
  readonly #share: string;
  readonly #ended: Promise<void>;
  readonly #timeoutSeconds: number;

  private constructor(child: ChildProcess, share: string, timeoutSeconds: number) {
    this.#child = child;
    this.#share = share;
    this.#timeoutSeconds = timeoutSeconds;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  static async start(options: UmlOptions): Promise<UmlMachine> {
    requireLab();
    const share = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kannuki-lab-'));
    const disks = options.disks.map((_, index) => `/dev/ubd${letter(index)}`);
    await fillShare(share, { ...options, input: { input: options.input ?? null, keep: options.keep ?? null, disks } });
    const console = openSync(join(share, 'console'), 'w');
    const child = spawn(
      kernel,
      [
        `mem=${options.memoryMiB ?? 384}M`,
        'root=/dev/root',
        'rootfstype=hostfs',
        'rootflags=/',
        'ro',
        'quiet',
        'con=null',
        'con0=null,fd:1',
        'ssl=null',
        ...options.disks.map((path, index) => `ubd${letter(index)}=${path}`),
        ...(options.kernelArguments ?? []),
        `init=${join(import.meta.dirname, 'uml-init.sh')}`,
        `lab.share=${share}`,
        `lab.node=${process.execPath}`,
        `lab.modules=${modules}`,
        'lab.init=scenario.mjs',
      ],
      {
        stdio: ['ignore', console, console],
        detached: true,
        env: { PATH: '/usr/bin:/bin', TMPDIR: '/dev/shm', HOME: '/' },
      },
    );
    closeSync(console);
    return new UmlMachine(child, share, options.timeoutSeconds ?? defaultTimeoutSeconds);
  }

  /** Waits until the scenario has ended and gives its result; a machine that does not end in time is killed. */
  async finish<Result>(): Promise<ScenarioResult<Result>> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.#timeoutSeconds * 1000);
    });
    const outcome = await Promise.race([this.#ended.then(() => 'ended' as const), late]);
    clearTimeout(timer);
    if (outcome === 'late') this.#kill();
    await this.#ended;
    const log = this.log();
    const code = this.#read('exit-code');
    const text = this.#read('result.json');
    const result: unknown = text === null ? null : JSON.parse(text);
    this.#discard();
    if (outcome === 'late') {
      throw new LabError(`the lab machine did not end within ${this.#timeoutSeconds} s\n${log}`, result);
    }
    if (text === null) throw new LabError(`the scenario gave no result (exit code ${code?.trim() ?? 'none'})\n${log}`);
    return { exitCode: code === null ? null : Number(code), result: result as Result, log };
  }

  /** SIGKILL to every process of the machine, and nothing is flushed. */
  async powerCut(): Promise<readonly string[]> {
    this.#kill();
    await this.#ended;
    const told = this.#told();
    this.#discard();
    return told;
  }

  /** Waits until the scenario has told a line that fits. */
  async waitFor(fits: (line: string) => boolean, timeoutSeconds = this.#timeoutSeconds): Promise<void> {
    const end = Date.now() + timeoutSeconds * 1000;
    while (!this.#told().some(fits)) {
      if (Date.now() > end || this.#child.exitCode !== null) {
        throw new LabError(`the lab machine did not tell what was waited for\n${this.log()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  log(): string {
    return `${this.#read('console') ?? ''}${this.#read('log') ?? ''}`;
  }

  #told(): readonly string[] {
    return (this.#read('told') ?? '').split('\n').filter((line) => line !== '');
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #read(name: string): string | null {
    const path = join(this.#share, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  }

  #discard(): void {
    rmSync(this.#share, { recursive: true, force: true });
  }
}

/** Runs a scenario in a fresh machine to its end. A scenario that fails is an error here, with its log. */
export async function runInUml<Result>(options: UmlOptions): Promise<Result> {
  const machine = await UmlMachine.start(options);
  const { exitCode, result, log } = await machine.finish<Result>();
  if (exitCode !== 0) throw new LabError(`the scenario ended with ${exitCode}\n${log}`, result);
  return result;
}

/** The lab is never skipped in silence: what is missing is an error that says how to get it. */
export function requireLab(): void {
  for (const path of [kernel, modules]) {
    if (!existsSync(path)) throw new LabError(`${path} is missing: apt-get install user-mode-linux`);
  }
}

function letter(index: number): string {
  return String.fromCharCode(97 + index);
}
