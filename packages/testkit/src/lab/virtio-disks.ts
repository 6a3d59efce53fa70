import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = '/usr/bin/qemu-storage-daemon';
/** virtio's number for block devices. */
const blockDevice = 2;
const readySeconds = 20;

/**
 * Disk images as the virtio disks that a VM under KVM has, for a user-mode Linux machine: QEMU's own block layer serves them, so
 * zeros and discards are commands of up to 16 MiB that punch holes into the image. (The kernel's own ubd disks know both too, but
 * at most 32 KiB at a time, and zeros only where the host's file system has ZERO_RANGE, which tmpfs has not.)
 */
export class VirtioDisks implements AsyncDisposable {
  /** For the kernel's command line; inside the disks are /dev/vda, vdb, … in their order. */
  readonly kernelArguments: readonly string[];
  readonly #end: () => Promise<void>;

  private constructor(kernelArguments: readonly string[], end: () => Promise<void>) {
    this.kernelArguments = kernelArguments;
    this.#end = end;
  }

  static async serve(images: readonly string[]): Promise<VirtioDisks> {
    if (!existsSync(program)) throw new Error(`${program} is missing: apt-get install qemu-system-common`);
    const folder = mkdtempSync(join(tmpdir(), 'kannuki-virtio-'));
    const sockets = images.map((_, index) => join(folder, `${index}`));
    const nodes = images.flatMap((image, index) => [
      '--blockdev',
      JSON.stringify({ driver: 'file', 'node-name': `file${index}`, filename: image, discard: 'unmap' }),
      '--export',
      `type=vhost-user-blk,id=disk${index},node-name=file${index},addr.type=unix,addr.path=${sockets[index]},writable=on`,
    ]);
    const daemon = spawn(program, nodes, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const gone = new Promise<void>((resolve) => daemon.once('close', () => resolve()));
    const end = async (): Promise<void> => {
      daemon.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    };
    const late = Date.now() + readySeconds * 1000;
    while (!sockets.every((socket) => existsSync(socket))) {
      if (daemon.exitCode !== null || Date.now() > late) {
        await end();
        throw new Error(`${program} did not serve ${images.join(', ')}: ${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return new VirtioDisks(
      sockets.map((socket) => `virtio_uml.device=${socket}:${blockDevice}`),
      end,
    );
  }

  /** When the machine is gone: everything that it has written is in the images then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}
