import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskBytes, type SmallVm } from '../power-cut/small-vm.ts';
import { makeLabVault } from '../torture/lab-vault.ts';
import { scratch } from './scratch.ts';

/** A folder for one test: an empty disk, and a vault beside it that is not the VM's. Gone at the end of the scope. */
export interface ScratchVm extends AsyncDisposable {
  readonly folder: string;
  readonly disk: string;
  readonly keep: string;
  readonly vaultUrl: string;
  readonly kekId: string;
}

/** @param below where the folder is made; default the place of all disk images, which is memory where it can be */
export async function makeScratchVm(vm: SmallVm, below = scratch()): Promise<ScratchVm> {
  const folder = mkdtempSync(join(below, 'kannuki-vm-'));
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, '');
  truncateSync(disk, diskBytes(vm));
  const keep = join(folder, 'keep');
  mkdirSync(keep);
  const { vaultUrl, kekId } = await makeLabVault(keep);
  return {
    folder,
    disk,
    keep,
    vaultUrl,
    kekId,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
