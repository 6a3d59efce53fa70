import { execute, kannuki } from './kannuki.ts';

/** The VM of the quickstart, spoken to by ssh. */
export class Guest {
  readonly #sshArguments: readonly string[];

  private constructor(sshArguments: readonly string[]) {
    this.#sshArguments = sshArguments;
  }

  static async of(resourceGroup: string, name: string, data: string): Promise<Guest> {
    const { arguments: sshArguments } = await kannuki<{ arguments: readonly string[] }>([
      'vm',
      'ssh',
      '-g',
      resourceGroup,
      '-n',
      name,
      '--print',
      '--data',
      data,
    ]);
    return new Guest(sshArguments);
  }

  /** Runs a command as root in the VM and gives what it prints. */
  async run(command: string, timeoutSeconds = 120): Promise<string> {
    const answer = await this.#ssh(command, timeoutSeconds);
    if (answer.exitCode !== 0)
      throw new Error(`in the VM, ${command}: ${answer.exitCode}\n${answer.stdout}${answer.stderr}`);
    return answer.stdout;
  }

  /** Waits until a command succeeds, e.g. while the VM boots. */
  async until(command: string, timeoutSeconds: number): Promise<void> {
    const end = Date.now() + timeoutSeconds * 1000;
    for (;;) {
      const answer = await this.#ssh(command, 60);
      if (answer.exitCode === 0) return;
      if (Date.now() > end)
        throw new Error(`in the VM, ${command} did not succeed within ${timeoutSeconds} s: ${answer.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }

  /** Writes a script into the VM. */
  async write(path: string, content: string): Promise<void> {
    const answer = await execute('ssh', [...this.#sshArguments, `cat >${path} && chmod 755 ${path}`], {}, content);
    if (answer.exitCode !== 0) throw new Error(`cannot write ${path} in the VM: ${answer.stderr}`);
  }

  #ssh(command: string, timeoutSeconds: number) {
    return execute('ssh', [...this.#sshArguments, command], { timeoutSeconds });
  }
}
