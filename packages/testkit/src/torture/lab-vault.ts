export const labVaultUrl = 'embedded:///mnt/keep/vault?vault=lab';
export async function makeLabVault(_keep: string): Promise<{ vaultUrl: string; kekId: string | null }> {
  return { vaultUrl: labVaultUrl, kekId: null };
}
