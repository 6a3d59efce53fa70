import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError } from '@kannuki/core';
import { machineFiles } from '../machine-store.ts';
import { isMachineProcess, readPidFile } from './process-identity.ts';
import { QmpClient } from './qmp.ts';

const pollMilliseconds = 100;
const deathSeconds = 15;
/** A VM whose system is not up yet does not hear the button; so it is pressed again. */
const buttonEverySeconds = 5;

/** What can be done to the process of one machine, whoever started it. */
export class Machine {
  readonly #name: string;
  readonly #folder: string;
  readonly #uuid: string;

  constructor(name: string, folder: string, uuid: string) {
    this.#name = name;
    this.#folder = folder;
    this.#uuid = uuid;
  }

  /** The process id while the machine has a process, running or paused. */
  async processId(): Promise<number | undefined> {
    const pid = await readPidFile(join(this.#folder, machineFiles.pid));
    return pid !== undefined && (await isMachineProcess(pid, this.#uuid)) ? pid : undefined;
  }

  /** @throws KannukiError KNK-HST-0005 */
  async requireProcessId(): Promise<number> {
    const pid = await this.processId();
    if (pid === undefined) throw new KannukiError('KNK-HST-0005', { details: { name: this.#name } });
    return pid;
  }

  async connect(): Promise<QmpClient> {
    return await QmpClient.connect(join(this.#folder, machineFiles.monitor));
  }

  async connectEvents(): Promise<QmpClient> {
    return await QmpClient.connect(join(this.#folder, machineFiles.events));
  }

  /** Presses the power button and waits. @returns whether the VM went off in time */
  async shutDown(timeoutSeconds: number): Promise<boolean> {
    const end = Date.now() + timeoutSeconds * 1000;
    while ((await this.processId()) !== undefined) {
      const left = (end - Date.now()) / 1000;
      if (left <= 0) return false;
      await this.#pressButton();
      await this.#waitForEnd(Math.min(left, buttonEverySeconds));
    }
    await this.#forget();
    return true;
  }

  /** SIGKILL: neither the VM nor QEMU gets to do anything. */
  async kill(): Promise<void> {
    const pid = await this.processId();
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (!(await this.#waitForEnd(deathSeconds))) {
      throw new KannukiError('KNK-HST-0016', { details: { name: this.#name, seconds: deathSeconds, pid } });
    }
    await this.#forget();
  }

  async #pressButton(): Promise<void> {
    try {
      await using monitor = await this.connect();
      await monitor.execute('system_powerdown');
    } catch (error) {
      // It may have gone off between the look and the button.
      if (!(error instanceof KannukiError) || (await this.processId()) !== undefined) throw error;
    }
  }

  async #waitForEnd(seconds: number): Promise<boolean> {
    const end = Date.now() + seconds * 1000;
    while ((await this.processId()) !== undefined) {
      if (Date.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
    }
    return true;
  }

  async #forget(): Promise<void> {
    await rm(join(this.#folder, machineFiles.pid), { force: true });
  }
}
