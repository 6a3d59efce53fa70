import { copyFile, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { KannukiError, run } from '@kannuki/core';
import type { Layout } from './layout.ts';

const folder = '/usr/lib/kannuki';
const name = 'kannuki.mjs';

/**
 * Puts the agent's bundle into the root file system of a disk image that is not in use, without mounting it.
 * debugfs reports no failure by its exit code, so the file is read back and compared.
 */
export async function addBundle(disk: string, layout: Layout, bundlePath: string, work: string): Promise<void> {
  const source = join(work, name);
  const readBack = join(work, 'read-back');
  // Paths inside debugfs commands cannot be quoted: everything is named relative to the work folder.
  const device = `${basename(disk)}?offset=${layout.root.offsetBytes}`;
  await copyFile(bundlePath, source);
  await run('debugfs', ['-w', '-f', '-', device], {
    input: `cd ${folder}\nwrite ${name} ${name}\nset_inode_field ${name} mode 0100644\n`,
    workingDirectory: work,
  });
  await run('debugfs', ['-R', `dump ${folder}/${name} read-back`, device], { workingDirectory: work });
  const [wanted, found] = await Promise.all([readFile(source), readFile(readBack)]);
  if (!wanted.equals(found)) {
    throw new KannukiError('KNK-HST-0009', { details: { detail: 'the agent did not arrive in the image' } });
  }
  await rm(source);
  await rm(readBack);
}
