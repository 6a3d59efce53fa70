import { open } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { KannukiError, run, syncDirectory, syncFile } from '@kannuki/core';
import { dataDiskFile, machineFiles } from '../machine-store.ts';

const copySeconds = 3600;

/**
 * Makes the OS disk: empty, and reading through to the image, which is named relative to it so that a data directory
 * can be moved as a whole.
 */
export async function makeOsDisk(folder: string, imagePath: string): Promise<void> {
  const path = join(folder, machineFiles.osDisk);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', relative(folder, imagePath), path], {
    workingDirectory: folder,
  });
  await syncFile(path);
  await syncDirectory(folder);
}

/** Makes a sparse raw disk, all zeroes or a copy of another. Refuses to touch a file that is there. */
export async function makeDataDisk(
  folder: string,
  serial: string,
  sizeBytes: number,
  copyOf: string | undefined,
): Promise<void> {
  const path = join(folder, dataDiskFile(serial));
  const file = await open(path, 'wx', 0o600);
  try {
    if (copyOf !== undefined) {
      await run('cp', ['--sparse=always', '--reflink=auto', '--no-preserve=mode', copyOf, path], {
        timeoutSeconds: copySeconds,
      });
      const { size } = await file.stat();
      if (size > sizeBytes) {
        throw new KannukiError('KNK-HST-0011', {
          details: { field: 'sizeBytes', detail: 'smaller than the copied disk' },
        });
      }
    }
    await file.truncate(sizeBytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(folder);
}
