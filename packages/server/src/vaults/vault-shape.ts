import type { KeyInfo } from '@kannuki/keyvault';
import type { VaultRecord } from './vault-record.ts';

export function vaultResourceId(subscriptionId: string, vault: Pick<VaultRecord, 'resourceGroup' | 'name'>): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${vault.resourceGroup}/providers/Microsoft.KeyVault/vaults/${vault.name}`;
}

/** What `az keyvault show` prints, as far as it means something here. */
export function vaultShape(
  place: { readonly subscriptionId: string; readonly tenantId: string },
  vault: VaultRecord,
  vaultUri: string,
): object {
  return {
    id: vaultResourceId(place.subscriptionId, vault),
    name: vault.name,
    type: 'Microsoft.KeyVault/vaults',
    location: vault.location,
    resourceGroup: vault.resourceGroup,
    properties: {
      tenantId: place.tenantId,
      sku: { family: 'A', name: vault.sku },
      enabledForDiskEncryption: vault.enabledForDiskEncryption,
      vaultUri,
      provisioningState: 'Succeeded',
    },
  };
}

/** What `az keyvault key show` prints; the modulus is left out. */
export function keyShape({ id, kind, bits, enabled, operations }: KeyInfo): object {
  return { attributes: { enabled }, key: { kid: id, kty: kind, keyOps: operations, keySize: bits } };
}
