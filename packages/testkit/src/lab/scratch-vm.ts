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

export async function makeScratchVm(vm: SmallVm): Promise<ScratchVm> {
  const folder = mkdtempSync(join(scratch(), 'kannuki-vm-'));
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
