import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
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
  await removeAbandoned(host);
  await host.buildImage(labImage, {
    kernelArguments: labKernelArguments,
    onProgress: ({ step, detail }) => onProgress?.(`${step}: ${detail}`),
  });
  return host;
}

/** Machines of test runs that were killed go on running; their names have the process id of the run. */
async function removeAbandoned(host: Host): Promise<void> {
  for (const { name } of await host.listVms()) {
    const owner = /-(\d+)-[0-9a-f]{6}$/.exec(name)?.[1];
    if (owner === undefined || !existsSync(`/proc/${owner}`)) await host.deleteVm(name);
  }
}
