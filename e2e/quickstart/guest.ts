import { execute } from './kannuki.ts';

/** The VM of the quickstart, spoken to with `kannuki vm ssh`. */
export class Guest {
  readonly #words: readonly string[];

  /** @param onVm the options that name the VM and its server */
  constructor(onVm: readonly string[]) {
    this.#words = ['vm', 'ssh', ...onVm, '--'];
  }

  /** Runs a command as root in the VM and gives what it prints. */
  async run(command: string, timeoutSeconds = 120): Promise<string> {
    const end = Date.now() + timeoutSeconds * 1000;
    let answer = await this.#ssh(command, timeoutSeconds);
    while (neverBegan(answer) && Date.now() < end) answer = await this.#ssh(command, timeoutSeconds);
    if (answer.exitCode !== 0) {
      throw new Error(`in the VM, ${command}: ${answer.exitCode}\n${answer.stdout}${answer.stderr}`);
    }
    return answer.stdout;
  }

  /** Waits until a command succeeds, e.g. while the VM boots. */
  async until(command: string, timeoutSeconds: number): Promise<void> {
    const end = Date.now() + timeoutSeconds * 1000;
    for (;;) {
      const answer = await this.#ssh(command, 60);
      if (answer.exitCode === 0) return;
      if (Date.now() > end) {
        throw new Error(`in the VM, ${command} did not succeed within ${timeoutSeconds} s: ${answer.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  /** Writes a script into the VM. */
  async write(path: string, content: string): Promise<void> {
    const answer = await this.#ssh(`cat >${path} && chmod 755 ${path}`, 60, content);
    if (answer.exitCode !== 0) throw new Error(`cannot write ${path} in the VM: ${answer.stderr}`);
  }

  #ssh(command: string, timeoutSeconds: number, input?: string) {
    return execute(undefined, [...this.#words, command], { timeoutSeconds }, input);
  }
}

/**
 * ssh(1) gives up on a connection after seconds, and an emulated VM on a busy machine can take longer to answer. These are what
 * it says before any command has begun, so that trying again does nothing twice.
 */
function neverBegan({ exitCode, stderr }: { readonly exitCode: number | null; readonly stderr: string }): boolean {
  return exitCode === 255 && /timed out during banner exchange|connect to host .* (?:timed out|refused)/i.test(stderr);
}
