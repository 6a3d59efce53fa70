import type { EscrowReceipt } from '@kannuki/keyvault';
import { jsonOf, numberOf, textOf } from './columns.ts';
import type { ServerDatabase } from './database.ts';

interface VaultObject {
  readonly vault: string;
  readonly name: string;
}

/** Which secrets and keys of which vaults a VM may touch. Names ignore letter case, as in vaults. */
export class OwnershipStore {
  readonly #database: ServerDatabase;

  constructor(database: ServerDatabase) {
    this.#database = database;
  }

  secretOwner({ vault, name }: VaultObject): string | undefined {
    const row = this.#database.one('SELECT vm_id FROM vm_secrets WHERE vault = ? AND name = ?', vault, name);
    return row === undefined ? undefined : textOf(row, 'vm_id');
  }

  countSecrets(vmId: string): number {
    const row = this.#database.one('SELECT count(*) AS number FROM vm_secrets WHERE vm_id = ?', vmId);
    return row === undefined ? 0 : numberOf(row, 'number');
  }

  /** Gives a name to a VM for good. @returns false where another VM was first */
  claimSecret(vmId: string, { vault, name }: VaultObject): boolean {
    this.#database.change(
      'INSERT INTO vm_secrets (vault, name, vm_id) VALUES (?, ?, ?) ON CONFLICT (vault, name) DO NOTHING',
      vault,
      name,
      vmId,
    );
    return this.secretOwner({ vault, name }) === vmId;
  }

  /** @param receipt how the passphrase is had back; null for what is no passphrase */
  recordVersion(vmId: string, object: VaultObject & { secretId: string; receipt: EscrowReceipt | null }): void {
    this.#database.change(
      `INSERT INTO vm_secret_versions (vm_id, vault, name, secret_id, receipt) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (secret_id) DO NOTHING`,
      vmId,
      object.vault,
      object.name,
      object.secretId,
      object.receipt === null ? null : JSON.stringify(object.receipt),
    );
  }

  /** Whether this very version was stored by the VM. @param secretId as the vault writes it */
  hasStored(vmId: string, secretId: string): boolean {
    const row = this.#database.one(
      'SELECT 1 AS found FROM vm_secret_versions WHERE secret_id = ? AND vm_id = ?',
      secretId,
      vmId,
    );
    return row !== undefined;
  }

  /** Nothing under this name is a passphrase of the VM any more. It stays the VM's. */
  retireSecret(vmId: string, { vault, name }: VaultObject): void {
    this.#database.change(
      'UPDATE vm_secret_versions SET receipt = NULL WHERE vm_id = ? AND vault = ? AND name = ?',
      vmId,
      vault,
      name,
    );
  }

  /** Passphrases that the VM has escrowed, oldest first. */
  receipts(vmId: string): readonly { readonly vault: string; readonly receipt: EscrowReceipt }[] {
    return this.#database
      .all(
        'SELECT vault, receipt FROM vm_secret_versions WHERE vm_id = ? AND receipt IS NOT NULL ORDER BY sequence',
        vmId,
      )
      .map((row) => ({ vault: textOf(row, 'vault'), receipt: jsonOf(row, 'receipt') }));
  }

  /** A vault is gone for good: whoever makes one of that name later shares nothing with the VMs that used this one. */
  forgetVault(vault: string): void {
    for (const table of ['vm_secrets', 'vm_secret_versions', 'vm_keys', 'vm_vaults']) {
      this.#database.change(`DELETE FROM ${table} WHERE vault = ?`, vault);
    }
  }

  grantVault(vmId: string, vault: string): void {
    this.#database.change('INSERT INTO vm_vaults (vm_id, vault) VALUES (?, ?) ON CONFLICT DO NOTHING', vmId, vault);
  }

  mayUseVault(vmId: string, vault: string): boolean {
    const row = this.#database.one('SELECT 1 AS found FROM vm_vaults WHERE vm_id = ? AND vault = ?', vmId, vault);
    return row !== undefined;
  }

  grantKey(vmId: string, { vault, name }: VaultObject): void {
    this.#database.change(
      'INSERT INTO vm_keys (vm_id, vault, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      vmId,
      vault,
      name,
    );
  }

  mayUseKey(vmId: string, { vault, name }: VaultObject): boolean {
    const row = this.#database.one(
      'SELECT 1 AS found FROM vm_keys WHERE vm_id = ? AND vault = ? AND name = ?',
      vmId,
      vault,
      name,
    );
    return row !== undefined;
  }
}
