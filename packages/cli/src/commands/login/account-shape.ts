import type { Subscription } from '../../azure-client/connection.ts';

/** One subscription as `az login` and `az account show` print it. */
export function accountShape(subscription: Subscription, clientId: string, isDefault: boolean): object {
  const { subscriptionId, tenantId, displayName, state } = subscription;
  return {
    cloudName: 'Kannuki',
    homeTenantId: tenantId,
    id: subscriptionId,
    isDefault,
    managedByTenants: [],
    name: displayName,
    state,
    tenantId,
    user: { name: clientId, type: 'servicePrincipal' },
  };
}
