/** Permissions of one principal, as in access policies (REQ-356). `certificates` and `storage` are kept and mean nothing here. */
export interface AccessPolicy {
  readonly tenantId: string;
  readonly objectId: string;
  /** With it the policy counts for that application only. */
  readonly applicationId: string | null;
  readonly permissions: Readonly<Record<PermissionKind, readonly string[]>>;
}

export const permissionKinds = ['keys', 'secrets', 'certificates', 'storage'] as const;
export type PermissionKind = (typeof permissionKinds)[number];

/** REQ-324. Addresses are IPv4 or IPv6, alone or as CIDR. */
export interface NetworkRules {
  /** Kept for the sake of clients: there is no "trusted service" here that would pass by it. */
  readonly bypass: 'AzureServices' | 'None';
  readonly defaultAction: 'Allow' | 'Deny';
  readonly ipRules: readonly string[];
  /** Kept for the sake of clients: there are no virtual networks here, so they let nobody in. */
  readonly virtualNetworkRules: readonly string[];
}

/** Properties of a vault that only the management plane and access control look at. */
export interface VaultProperties {
  readonly enabledForDeployment: boolean;
  readonly enabledForTemplateDeployment: boolean;
  /** 7 to 90; fixed when the vault is made (REQ-350). */
  readonly retentionDays: number;
  /** Once on, on for ever (REQ-352). */
  readonly purgeProtection: boolean;
  /** Roles and nothing else give access to data; else access policies and nothing else do (REQ-357). */
  readonly rbac: boolean;
  readonly accessPolicies: readonly AccessPolicy[];
  readonly networkRules: NetworkRules | null;
  readonly publicNetworkAccess: 'Enabled' | 'Disabled';
}

export const defaultVaultProperties: VaultProperties = {
  enabledForDeployment: false,
  enabledForTemplateDeployment: false,
  retentionDays: 90,
  purgeProtection: false,
  rbac: false,
  accessPolicies: [],
  networkRules: null,
  publicNetworkAccess: 'Enabled',
};
