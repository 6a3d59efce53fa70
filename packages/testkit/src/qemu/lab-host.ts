import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Host } from '@kannuki/host';

const repository = join(import.meta.dirname, '..', '..', '..', '..');

/** Only the lab: an emulated processor pays dearly for protection against neighbours that it does not have. */
export const labKernelArguments: readonly string[] = ['mitigations=off', 'init_on_alloc=0'];

export const labImage = 'debian-12';

let prepared: Promise<Host> | undefined;

/**
 * The host of all lab machines of this checkout, with an image of the present source in it. Packages are downloaded and
 * installed once (about a minute); afterwards a changed agent costs a few seconds.
 */
export async function labHost(onProgress?: (line: string) => void): Promise<Host> {
  prepared ??= prepare(onProgress);
  return await prepared;
}

async function prepare(onProgress: ((line: string) => void) | undefined): Promise<Host> {
  await promisify(execFile)(process.execPath, [join(repository, 'build', 'bundle.ts')]);
  const host = new Host({ dataDirectory: join(repository, '.cache', 'lab') });
  await host.buildImage(labImage, {
    kernelArguments: labKernelArguments,
    onProgress: ({ step, detail }) => onProgress?.(`${step}: ${detail}`),
  });
  return host;
}
