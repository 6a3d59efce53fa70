/**
 * Ids of Azure Resource Manager: `/subscriptions/S[/resourceGroups/G[/providers/NAMESPACE/TYPE/NAME[/TYPE/NAME]…]]`.
 * They compare without regard to letter case; what they name keeps the case in which it was made.
 */
export interface ResourceId {
  readonly subscriptionId: string;
  readonly resourceGroup: string | null;
  /** `Microsoft.KeyVault`; null for a subscription or a resource group. */
  readonly provider: string | null;
  /** From the outermost to the innermost; empty without provider. */
  readonly parts: readonly { readonly type: string; readonly name: string }[];
}

const longestId = 2048;
const deepest = 4;
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What can stand between two slashes without meaning something to a URL. */
const segmentShape = /^[^/?#%&<>\\\s]{1,260}$/;

export function isGuid(text: string): boolean {
  return guid.test(text);
}

/** @returns undefined for what is no id; a trailing slash does not count */
export function parseResourceId(text: string): ResourceId | undefined {
  if (text.length > longestId || !text.startsWith('/')) return undefined;
  const segments = text.replace(/\/$/, '').slice(1).split('/');
  if (!segments.every((segment) => segmentShape.test(segment))) return undefined;
  const [subscriptions, subscriptionId, groups, resourceGroup = null, providers, provider = null, ...rest] = segments;
  if (subscriptions?.toLowerCase() !== 'subscriptions' || subscriptionId === undefined) return undefined;
  if (groups !== undefined && (groups.toLowerCase() !== 'resourcegroups' || resourceGroup === null)) return undefined;
  const hasProvider = providers?.toLowerCase() === 'providers' && provider !== null;
  if (providers !== undefined && !hasProvider) return undefined;
  if (hasProvider && (rest.length === 0 || rest.length % 2 === 1 || rest.length > 2 * deepest)) return undefined;
  const parts = [];
  for (let index = 0; index < rest.length; index += 2) {
    parts.push({ type: rest[index] ?? '', name: rest[index + 1] ?? '' });
  }
  return { subscriptionId, resourceGroup, provider, parts };
}

export function resourceIdText({ subscriptionId, resourceGroup, provider, parts }: ResourceId): string {
  const group = resourceGroup === null ? '' : `/resourceGroups/${resourceGroup}`;
  const resource = provider === null ? '' : `/providers/${provider}`;
  return `/subscriptions/${subscriptionId}${group}${resource}${parts.map(({ type, name }) => `/${type}/${name}`).join('')}`;
}

/** Whether a scope is, or holds, another one (both as `resourceIdText` writes them, in any letter case). */
export function scopeHolds(outer: string, inner: string): boolean {
  const [held, holder] = [inner.toLowerCase(), outer.toLowerCase()];
  return held === holder || held.startsWith(`${holder}/`);
}

export function vaultResourceId(subscriptionId: string, resourceGroup: string, name: string): string {
  return resourceIdText({
    subscriptionId,
    resourceGroup,
    provider: 'Microsoft.KeyVault',
    parts: [{ type: 'vaults', name }],
  });
}
