import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Host } from '../host.ts';
import { ImageStore } from '../images/image-store.ts';
import { hashFile } from '../images/inputs.ts';

export const blankImage = 'blank';

/**
 * A data directory with one image in it that holds nothing: machines start from it in a blink and then sit in the BIOS,
 * which is all that tests of the machine around the VM need.
 */
export async function makeDataDirectory(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kannuki-host-'));
  const store = new ImageStore(join(folder, 'images'));
  await store.prepare();
  const disk = join(store.folder, 'new.raw');
  const sizeBytes = 16 * 1024 * 1024;
  const file = await open(disk, 'wx');
  await file.truncate(sizeBytes);
  await file.close();
  await store.add(disk, {
    name: blankImage,
    urn: 'Test:blank:1:latest',
    format: 'raw',
    sizeBytes,
    sha256: await hashFile(disk),
    builtAt: new Date(0).toISOString(),
    inputsSha256: '0'.repeat(64),
  });
  return folder;
}

/** Ends every machine of a data directory and removes it. */
export async function removeDataDirectory(folder: string): Promise<void> {
  const host = new Host({ dataDirectory: folder, accelerator: 'tcg' });
  for (const { name } of await host.listVms()) await host.deleteVm(name);
  await rm(folder, { recursive: true, force: true });
}
