import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether a mounted ext file system is in the hands of the kernel's ext4 driver, which alone can resize it in use. One that is mounted
 * as `ext2` may be in those of the old ext2 driver, where the kernel has it.
 * @param kernelName e.g. sdc1 or dm-0
 */
export function isExt4Driver(kernelName: string, root = '/'): boolean {
  return existsSync(join(root, 'sys/fs/ext4', kernelName));
}
