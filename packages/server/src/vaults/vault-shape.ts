import { vaultResourceId } from '@kannuki/core';
import type { KeyInfo } from '@kannuki/keyvault';
import type { AccessPolicy, VaultProperties } from './vault-properties.ts';
import type { VaultRecord } from './vault-record.ts';

export interface VaultPlace {
  readonly subscriptionId: string;
  readonly tenantId: string;
}

/** As `@azure/arm-keyvault` reads a vault. @param suffix what follows its name in its address, with port */
export function vaultShape(place: VaultPlace, vault: VaultRecord, suffix: string): object {
  const { properties } = vault;
  return {
    id: vaultResourceId(place.subscriptionId, vault.resourceGroup, vault.name),
    name: vault.name,
    type: 'Microsoft.KeyVault/vaults',
    location: vault.location,
    tags: vault.tags,
    systemData: { createdAt: new Date(vault.createdAt).toISOString() },
    properties: {
      tenantId: place.tenantId,
      sku: { family: 'A', name: vault.sku },
      accessPolicies: properties.accessPolicies.map(policyShape),
      enabledForDeployment: properties.enabledForDeployment,
      enabledForDiskEncryption: vault.enabledForDiskEncryption,
      enabledForTemplateDeployment: properties.enabledForTemplateDeployment,
      enableSoftDelete: true,
      softDeleteRetentionInDays: properties.retentionDays,
      enableRbacAuthorization: properties.rbac,
      // Absent where it is off: it can be sent back as it is, and false is refused.
      ...(properties.purgeProtection ? { enablePurgeProtection: true } : {}),
      ...(properties.networkRules === null ? {} : { networkAcls: networkShape(properties.networkRules) }),
      publicNetworkAccess: properties.publicNetworkAccess,
      vaultUri: `https://${vault.name.toLowerCase()}.${suffix}/`,
      provisioningState: 'Succeeded',
    },
  };
}

export function deletedVaultShape({ subscriptionId }: VaultPlace, vault: VaultRecord): object {
  const { deletedAt = 0, purgeAt = 0 } = vault.deletion ?? {};
  const place = encodeURIComponent(vault.location.replaceAll(' ', '').toLowerCase());
  return {
    id: `/subscriptions/${subscriptionId}/providers/Microsoft.KeyVault/locations/${place}/deletedVaults/${vault.name}`,
    name: vault.name,
    type: 'Microsoft.KeyVault/deletedVaults',
    properties: {
      vaultId: vaultResourceId(subscriptionId, vault.resourceGroup, vault.name),
      location: vault.location,
      deletionDate: new Date(deletedAt).toISOString(),
      scheduledPurgeDate: new Date(purgeAt).toISOString(),
      tags: vault.tags,
      ...(vault.properties.purgeProtection ? { purgeProtectionEnabled: true } : {}),
    },
  };
}

export function policyShape({ tenantId, objectId, applicationId, permissions }: AccessPolicy): object {
  return { tenantId, objectId, ...(applicationId === null ? {} : { applicationId }), permissions };
}

function networkShape(rules: NonNullable<VaultProperties['networkRules']>): object {
  return {
    bypass: rules.bypass,
    defaultAction: rules.defaultAction,
    ipRules: rules.ipRules.map((value) => ({ value })),
    virtualNetworkRules: rules.virtualNetworkRules.map((id) => ({ id })),
  };
}

/** What `az keyvault key show` prints; the modulus is left out. */
export function keyShape({ id, kind, bits, enabled, operations }: KeyInfo): object {
  return { attributes: { enabled }, key: { kid: id, kty: kind, keyOps: operations, keySize: bits } };
}
