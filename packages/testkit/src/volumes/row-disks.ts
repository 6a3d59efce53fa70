import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import { scratch } from '../lab/scratch.ts';
import { VirtioDisks } from '../lab/virtio-disks.ts';
import { makeLabVault } from '../torture/lab-vault.ts';
import type { Layout } from './layouts/layout.ts';

const mebibyte = 1024 * 1024;
/** /etc, and a header with its copy for each of up to four volumes. */
const stateMiB = 256;
/** What a disk of terabytes may really hold: a mistake that writes all of it must not take the memory of this machine. */
const hugeMiB = 1536;

/** Fresh disks for one run of a row, and the vault beside them. Gone at the end of the scope. */
export class RowDisks implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #folder: string;
  readonly #images: readonly string[];
  #virtio: VirtioDisks | undefined;
  readonly #layout: Layout;
  /** What the machine sees as /mnt/keep. */
  readonly keep: string;
  readonly vault: { readonly vaultUrl: string; readonly kekId: string };

  private constructor(
    layout: Layout,
    parts: Pick<RowDisks, 'keep' | 'vault'> & {
      readonly stack: AsyncDisposableStack;
      readonly folder: string;
      readonly images: readonly string[];
      readonly virtio: VirtioDisks | undefined;
    },
  ) {
    this.#layout = layout;
    this.#stack = parts.stack;
    this.#folder = parts.folder;
    this.#images = parts.images;
    this.#virtio = parts.virtio;
    this.keep = parts.keep;
    this.vault = parts.vault;
  }

  static async make(layout: Layout): Promise<RowDisks> {
    await using stack = new AsyncDisposableStack();
    const folder = mkdtempSync(join(scratch(), 'kannuki-row-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    if (layout.isHuge === true) {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${hugeMiB}m,mode=0700`, 'kannuki-row', folder]);
      stack.defer(async () => {
        await run('umount', ['--lazy', folder]);
      });
    }
    const keep = join(folder, 'keep');
    mkdirSync(keep);
    const vault = await makeLabVault(keep);
    const images = [stateMiB, ...layout.disksMiB].map((sizeMiB, index) => {
      const path = join(folder, `disk${index}.img`);
      writeFileSync(path, '');
      resize(path, sizeMiB);
      return path;
    });
    const { virtioSectorBytes } = layout;
    const virtio =
      virtioSectorBytes === undefined ? undefined : await VirtioDisks.start(folder, images.slice(1), virtioSectorBytes);
    return new RowDisks(layout, { keep, vault, stack: stack.move(), folder, images, virtio });
  }

  /** How a machine gets them: the state disk, and the others on their bus. */
  get attached(): { readonly disks: readonly string[]; readonly kernelArguments: readonly string[] } {
    if (this.#virtio === undefined) return { disks: this.#images, kernelArguments: [] };
    return { disks: this.#images.slice(0, 1), kernelArguments: this.#virtio.kernelArguments };
  }

  /** All but the state disk become so much larger than they were made, while the machine is off. */
  async enlarge(moreMiB: number): Promise<void> {
    for (const [index, sizeMiB] of this.#layout.disksMiB.entries()) {
      const path = this.#images[index + 1];
      if (path !== undefined) resize(path, sizeMiB + moreMiB);
    }
    const { virtioSectorBytes } = this.#layout;
    if (this.#virtio === undefined || virtioSectorBytes === undefined) return;
    // The daemon knows the sizes of its start.
    await this.#virtio[Symbol.asyncDispose]();
    this.#virtio = await VirtioDisks.start(this.#folder, this.#images.slice(1), virtioSectorBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#virtio?.[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}

function resize(path: string, sizeMiB: number): void {
  truncateSync(path, sizeMiB * mebibyte);
}
