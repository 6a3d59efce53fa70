import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const openSeconds = 30;

/**
 * One ssh connection that later commands share: its key exchange alone takes seconds where the VM's processor is
 * emulated. When the VM goes, the connection ends by itself and commands make their own again.
 */
export class SshSession implements Disposable {
  readonly #master: ChildProcess;
  readonly #folder: string;

  private constructor(master: ChildProcess, folder: string) {
    this.#master = master;
    this.#folder = folder;
  }

  /** @param args of ssh, up to and with the destination. Where no session comes about, commands work without. */
  static async open(args: readonly string[]): Promise<SshSession> {
    const folder = mkdtempSync(join(tmpdir(), 'kannuki-ssh-'));
    const master = spawn('ssh', ['-M', '-N', '-S', socketIn(folder), ...args], { stdio: 'ignore' });
    master.on('error', () => undefined);
    master.unref();
    const end = Date.now() + openSeconds * 1000;
    while (!existsSync(socketIn(folder)) && master.exitCode === null && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return new SshSession(master, folder);
  }

  /** What comes before the other arguments of ssh to use this connection. */
  get options(): readonly string[] {
    return ['-o', 'ControlMaster=no', '-S', socketIn(this.#folder)];
  }

  [Symbol.dispose](): void {
    this.#master.kill('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function socketIn(folder: string): string {
  return join(folder, 's');
}
