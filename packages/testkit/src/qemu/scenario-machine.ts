import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import { fillShare } from '../lab/bundle-programs.ts';
import type { ScenarioMachine, ScenarioOptions, ScenarioResult } from '../lab/scenario-machine.ts';
import { LabError } from '../lab/uml.ts';
import { bootLabMachine, type LabMachine } from './lab-machine.ts';

const node = '/usr/lib/kannuki/node';
const defaultTimeoutSeconds = 300;

export interface QemuScenarioOptions extends ScenarioOptions {
  /** Virtual processors; default 2, each a thread of the host's also where they are emulated. */
  readonly cpus?: number;
}

/** A scenario in a whole Debian: systemd, udev, a kernel of the distribution. Same scenarios, same calls as `UmlMachine`. */
export class QemuScenarioMachine implements ScenarioMachine {
  readonly #machine: LabMachine;
  readonly #options: ScenarioOptions;
  /** The scenario at work; settles when it ends or the machine goes. */
  readonly #work: Promise<void>;

  private constructor(machine: LabMachine, options: ScenarioOptions) {
    this.#machine = machine;
    this.#options = options;
    const command = `cd /; ${node} --disable-warning=ExperimentalWarning /mnt/lab/scenario.mjs >/mnt/lab/log 2>&1; echo $? >/mnt/lab/exit-code`;
    this.#work = machine.ssh(command, { timeoutSeconds: this.#timeoutSeconds }).then(
      () => undefined,
      // Whether it ended as it should is in what it left behind; a machine without power leaves nothing.
      () => undefined,
    );
  }

  static async start(options: QemuScenarioOptions): Promise<QemuScenarioMachine> {
    const machine = await bootLabMachine({
      name: 'scenario',
      memoryMiB: options.memoryMiB ?? 1024,
      cpus: options.cpus ?? 2,
      dataDisks: options.disks.map((path, index) => ({ sizeBytes: statSync(path).size, serial: serialOf(index) })),
      beforeBoot: async (vm) => {
        for (const [index, path] of options.disks.entries()) await copyDisk(path, await vm.diskPath(serialOf(index)));
      },
    });
    const share = mkdtempSync(join(tmpdir(), 'kannuki-share-'));
    try {
      const disks = options.disks.map((_, index) => `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${serialOf(index)}`);
      await fillShare(share, { ...options, input: { input: options.input ?? null, keep: null, disks } });
      const packed = join(share, '..', `${machine.name}.tar`);
      await run('tar', ['-C', share, '-cf', packed, '.']);
      const input = readFileSync(packed);
      rmSync(packed);
      await machine.ssh('mkdir -p /mnt/lab && mount -t tmpfs tmpfs /mnt/lab && tar -C /mnt/lab -x', { input });
      return new QemuScenarioMachine(machine, options);
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    } finally {
      rmSync(share, { recursive: true, force: true });
    }
  }

  async finish<Result>(): Promise<ScenarioResult<Result>> {
    await this.#work;
    const code = await this.#read('exit-code');
    const log = await this.#read('log');
    const result = await this.#read('result.json');
    if (result === '') {
      const console = await this.#machine.consoleTail();
      await this.#end('power off');
      throw new LabError(`the scenario gave no result (exit code ${code.trim() || 'none'})\n${console}${log}`);
    }
    await this.#end('shut down');
    return { exitCode: code === '' ? null : Number(code), result: JSON.parse(result) as Result, log };
  }

  async powerCut(): Promise<readonly string[]> {
    const told = await this.#told();
    await this.#end('power off');
    return told;
  }

  async waitFor(fits: (line: string) => boolean, timeoutSeconds = this.#timeoutSeconds): Promise<void> {
    const end = Date.now() + timeoutSeconds * 1000;
    while (!(await this.#told()).some(fits)) {
      if (Date.now() > end) {
        throw new LabError(`the scenario did not tell what was waited for\n${await this.#read('log')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  get #timeoutSeconds(): number {
    return this.#options.timeoutSeconds ?? defaultTimeoutSeconds;
  }

  async #told(): Promise<readonly string[]> {
    return (await this.#read('told')).split('\n').filter((line) => line !== '');
  }

  async #read(name: string): Promise<string> {
    return (await this.#machine.ssh(`cat /mnt/lab/${name} 2>/dev/null || true`)).stdout;
  }

  /** The disks go back to where they came from, as they are. */
  async #end(how: 'power off' | 'shut down'): Promise<void> {
    try {
      if (how === 'shut down') await this.#machine.shutDown();
      else await this.#machine.powerCut();
      await this.#work;
      for (const [index, path] of this.#options.disks.entries()) {
        await copyDisk(await this.#machine.diskPath(serialOf(index)), path);
      }
    } finally {
      await this.#machine[Symbol.asyncDispose]();
    }
  }
}

function serialOf(index: number): string {
  return `lab${index}`;
}

async function copyDisk(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', '--', from, to]);
}
