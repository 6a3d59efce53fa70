import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import { LabError } from './uml.ts';

/** virtio's number for a block device. */
const blockDevice = 2;
const daemon = '/usr/bin/qemu-storage-daemon';

/**
 * Disks of a user-mode Linux machine on the virtio bus, `/dev/vda` and so on, with sectors of any size: QEMU's storage daemon
 * serves the images, as it does for any VM with vhost-user. Unlike the lab's own disks these unmap, and write zeros, in no time.
 * The daemon goes on over reboots, and ends with the scope.
 */
export class VirtioDisks implements AsyncDisposable {
  readonly #pid: number;
  /** What the kernel of the machine is started with. */
  readonly kernelArguments: readonly string[];

  private constructor(pid: number, kernelArguments: readonly string[]) {
    this.#pid = pid;
    this.kernelArguments = kernelArguments;
  }

  static async start(folder: string, paths: readonly string[], sectorBytes: 512 | 4096): Promise<VirtioDisks> {
    if (!existsSync(daemon)) throw new LabError(`${daemon} is missing: apt-get install qemu-system-common`);
    const pidFile = join(folder, 'virtio.pid');
    const sockets = paths.map((_, index) => join(folder, `virtio${index}.sock`));
    const exports = paths.flatMap((path, index) => [
      '--blockdev',
      `driver=file,node-name=disk${index},filename=${path},discard=unmap`,
      '--export',
      `type=vhost-user-blk,id=export${index},node-name=disk${index},addr.type=unix,addr.path=${sockets[index]},writable=on,logical-block-size=${sectorBytes}`,
    ]);
    // It listens when this returns.
    await run(daemon, ['--daemonize', '--pidfile', pidFile, ...exports]);
    return new VirtioDisks(
      Number(readFileSync(pidFile, 'utf8')),
      sockets.map((socket) => `virtio_uml.device=${socket}:${blockDevice}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(this.#pid, 'SIGTERM');
    } catch (error) {
      // A daemon that has died has shown it as errors of the disks.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
