import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedVault } from '../embedded/embedded-vault.ts';
import { EmbeddedVaults, type OpenEmbeddedVaultsOptions } from '../embedded/embedded-vaults.ts';

/** A folder for one test, gone at its end. */
export class ScratchFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<ScratchFolder> {
    return new ScratchFolder(await mkdtemp(join(tmpdir(), 'kannuki-vault-')));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Names of the vault's files as `openVault` expects them, so that both ways open the same vault. */
  vaultFiles(): Pick<OpenEmbeddedVaultsOptions, 'databaseFile' | 'rootKeyFile'> {
    return { databaseFile: this.file('vault.db'), rootKeyFile: this.file('root.key') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** A real embedded vault in a folder of its own. */
export class ScratchVault implements AsyncDisposable {
  readonly folder: ScratchFolder;
  readonly vault: EmbeddedVault;
  readonly vaults: EmbeddedVaults;

  private constructor(folder: ScratchFolder, vaults: EmbeddedVaults, vault: EmbeddedVault) {
    this.folder = folder;
    this.vaults = vaults;
    this.vault = vault;
  }

  static async make(name = 'kv-test', options: Partial<OpenEmbeddedVaultsOptions> = {}): Promise<ScratchVault> {
    const folder = await ScratchFolder.make();
    const vaults = await EmbeddedVaults.open({ ...folder.vaultFiles(), ...options });
    return new ScratchVault(folder, vaults, await vaults.createVault(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.vaults.close();
    await this.folder[Symbol.asyncDispose]();
  }
}
