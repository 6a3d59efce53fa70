import { KannukiError } from '@kannuki/core';
import {
  type AccessPolicy,
  defaultVaultProperties,
  permissionKinds,
  type VaultProperties,
} from './vault-properties.ts';
import type { VaultRecord } from './vault-record.ts';

/** What a request says about a vault; undefined is left as it is, or as it is by default. */
export interface VaultChange {
  readonly sku?: VaultRecord['sku'] | undefined;
  readonly enabledForDiskEncryption?: boolean | undefined;
  readonly enabledForDeployment?: boolean | undefined;
  readonly enabledForTemplateDeployment?: boolean | undefined;
  readonly retentionDays?: number | undefined;
  readonly purgeProtection?: boolean | undefined;
  readonly rbac?: boolean | undefined;
  readonly accessPolicies?: VaultProperties['accessPolicies'] | undefined;
  readonly networkRules?: VaultProperties['networkRules'] | undefined;
  readonly publicNetworkAccess?: VaultProperties['publicNetworkAccess'] | undefined;
  readonly tags?: VaultRecord['tags'] | undefined;
}

/** REQ-356 (recalled there). */
export const mostAccessPolicies = 1024;

/** @throws KannukiError KNK-ARM-0009 for what cannot be taken back: purge protection (REQ-352), retention (REQ-350) */
export function changedVault(vault: VaultRecord, change: VaultChange): VaultRecord {
  const { properties } = vault;
  if (properties.purgeProtection && change.purgeProtection === false) {
    throw refuse('enablePurgeProtection', 'once on, it cannot be turned off');
  }
  if (change.retentionDays !== undefined && change.retentionDays !== properties.retentionDays) {
    throw refuse('softDeleteRetentionInDays', 'it was set when the vault was made and cannot be changed');
  }
  return withChange(vault, change);
}

/** A vault that is made: what the change leaves open is as by default. */
export function newVault(
  place: Pick<VaultRecord, 'name' | 'resourceGroup' | 'location' | 'createdAt'>,
  change: VaultChange,
): VaultRecord {
  const vault: VaultRecord = {
    ...place,
    sku: 'standard',
    enabledForDiskEncryption: false,
    properties: defaultVaultProperties,
    tags: {},
    state: 'creating',
    deletion: null,
  };
  return withChange(vault, change);
}

function withChange(vault: VaultRecord, change: VaultChange): VaultRecord {
  const { properties } = vault;
  const accessPolicies = change.accessPolicies ?? properties.accessPolicies;
  if (accessPolicies.length > mostAccessPolicies) {
    throw refuse('accessPolicies', `a vault has up to ${mostAccessPolicies}`);
  }
  return {
    ...vault,
    sku: change.sku ?? vault.sku,
    enabledForDiskEncryption: change.enabledForDiskEncryption ?? vault.enabledForDiskEncryption,
    tags: change.tags ?? vault.tags,
    properties: {
      enabledForDeployment: change.enabledForDeployment ?? properties.enabledForDeployment,
      enabledForTemplateDeployment: change.enabledForTemplateDeployment ?? properties.enabledForTemplateDeployment,
      retentionDays: change.retentionDays ?? properties.retentionDays,
      purgeProtection: change.purgeProtection ?? properties.purgeProtection,
      rbac: change.rbac ?? properties.rbac,
      accessPolicies,
      networkRules: change.networkRules === undefined ? properties.networkRules : change.networkRules,
      publicNetworkAccess: change.publicNetworkAccess ?? properties.publicNetworkAccess,
    },
  };
}

export type PolicyOperation = 'add' | 'replace' | 'remove';

/** What `accessPolicies/add`, `/replace` and `/remove` make of a vault's policies, principal by principal. */
export function mergedPolicies(
  current: readonly AccessPolicy[],
  operation: PolicyOperation,
  given: readonly AccessPolicy[],
): readonly AccessPolicy[] {
  const merged = new Map(current.map((policy) => [keyOf(policy), policy]));
  for (const policy of given) {
    const key = keyOf(policy);
    const known = merged.get(key);
    if (operation === 'replace' || (operation === 'add' && known === undefined)) merged.set(key, policy);
    else if (known !== undefined) {
      const changed = combined(known, policy, operation);
      if (permissionKinds.some((kind) => changed.permissions[kind].length > 0)) merged.set(key, changed);
      else merged.delete(key);
    }
  }
  return [...merged.values()];
}

function combined(known: AccessPolicy, given: AccessPolicy, operation: PolicyOperation): AccessPolicy {
  const combine = (kind: (typeof permissionKinds)[number]): readonly string[] => {
    const [left, right] = [known.permissions[kind], given.permissions[kind]];
    return operation === 'remove' ? left.filter((one) => !right.includes(one)) : [...new Set([...left, ...right])];
  };
  const permissions = {
    keys: combine('keys'),
    secrets: combine('secrets'),
    certificates: combine('certificates'),
    storage: combine('storage'),
  };
  return { ...known, permissions };
}

function keyOf({ tenantId, objectId, applicationId }: AccessPolicy): string {
  return `${tenantId}/${objectId}/${applicationId ?? ''}`.toLowerCase();
}

function refuse(what: string, reason: string): KannukiError {
  return new KannukiError('KNK-ARM-0009', { details: { what, reason } });
}
