import type { AzureConnection } from '../../../azure-client/connection.ts';
import {
  findVault,
  groupOf,
  propertiesOf,
  type Resource,
  untilEnd,
  vaultPath,
  withGroup,
} from '../../../azure-client/resources.ts';
import type { CommandContext } from '../../../program/context.ts';

/** What the server says of a vault and does not take back. */
const readOnly = ['vaultUri', 'provisioningState', 'hsmPoolResourceId', 'privateEndpointConnections'];

/** @returns the vault as az prints it */
export async function putVault(
  azure: AzureConnection,
  vault: { readonly group: string; readonly name: string },
  body: object,
  context: CommandContext,
): Promise<Resource> {
  const what = `key vault ${vault.name}`;
  const path = await vaultPath(azure, vault.group, vault.name);
  const reply = await azure.call({ plane: 'management', method: 'PUT', path, body, what });
  await untilEnd(azure, reply, what, context);
  return withGroup(reply.data);
}

/** Changes a vault as az does it: read, change, write whole. @returns the vault as az prints it */
export async function changeVault(
  azure: AzureConnection,
  named: { readonly name: string; readonly resourceGroup: string | undefined },
  change: (properties: Readonly<Record<string, unknown>>, vault: Resource) => object,
  context: CommandContext,
  rest: object = {},
): Promise<Resource> {
  const vault = await findVault(azure, named.name, named.resourceGroup);
  const before = propertiesOf(vault);
  const kept = Object.fromEntries(Object.entries(before).filter(([name]) => !readOnly.includes(name)));
  const properties = { ...kept, ...change(before, vault) };
  const body = { location: vault.location, tags: vault.tags ?? {}, ...rest, properties };
  const group = groupOf(vault.id) ?? named.resourceGroup ?? '';
  return putVault(azure, { group, name: String(vault.name) }, body, context);
}
