import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';

/** What the kernel calls the device that a path leads to now: its node has the numbers, sysfs the name (makedev(3), sysfs(5)). */
export async function kernelNameOf(path: string): Promise<string> {
  const { rdev } = await stat(path, { bigint: true });
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return basename(await realpath(`/sys/dev/block/${major}:${minor}`));
}
