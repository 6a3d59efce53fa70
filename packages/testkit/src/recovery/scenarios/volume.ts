import { KannukiError, type RenderedFinding, renderFinding, run } from '@kannuki/core';
import { damagedFiles, fileContent, type PromisedFile, writePromised } from '../../power-cut/files.ts';
import { Random } from '../../power-cut/random.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';

export const volume = 'kn_srv_data0';

/** A fresh machine with a data volume and files on it. */
export async function freshVolume(vm: SmallVm): Promise<readonly PromisedFile[]> {
  await attachPartitions(vm, false);
  await makeFileSystems('ext4');
  await bootState();
  await enterDataInFstab('ext4');
  const random = new Random(7);
  const files: PromisedFile[] = [];
  for (let number = 0; number < 24; number++) {
    files.push(await writePromised(`${dataMountPoint}/files`, `f${number}`, fileContent(random, 512 * 1024)));
  }
  await run('sync', []);
  return files;
}

export async function closeVolume(): Promise<void> {
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', volume]);
}

/** Files that differ, read from the disk and not from the cache. */
export function damagedNow(files: readonly PromisedFile[]): readonly string[] {
  return damagedFiles(files);
}

export interface Refusal {
  readonly code: string;
  readonly findings: readonly RenderedFinding[];
}

/** What an attempt is refused with; null when it went through. */
export async function refusalOf(attempt: () => Promise<unknown>): Promise<Refusal | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    return { code: error.code, findings: error.findings.map((finding) => renderFinding(finding, 'en')) };
  }
}
