import { KannukiError } from '@kannuki/core';
import type { CommandContext } from '../program/context.ts';
import { type AzureConnection, type AzureReply, pathOf } from './connection.ts';
import { waitForEnd } from './long-running.ts';

export type Resource = Readonly<Record<string, unknown>>;

export const resourceApiVersion = '2021-04-01';
export const authorizationApiVersion = '2022-04-01';

export async function subscriptionPath(azure: AzureConnection): Promise<string> {
  return pathOf('subscriptions', (await azure.subscription()).subscriptionId);
}

export async function groupPath(azure: AzureConnection, group: string): Promise<string> {
  return `${await subscriptionPath(azure)}${pathOf('resourceGroups', group)}`;
}

export async function vaultPath(azure: AzureConnection, group: string, name: string): Promise<string> {
  return `${await groupPath(azure, group)}${pathOf('providers', 'Microsoft.KeyVault', 'vaults', name)}`;
}

/** `/subscriptions/S/resourceGroups/rg1/…` → `rg1`. */
export function groupOf(id: unknown): string | null {
  return /\/resourceGroups\/([^/]+)\//i.exec(typeof id === 'string' ? id : '')?.[1] ?? null;
}

/** A resource as az prints it: with the name of its group. */
export function withGroup(resource: Resource): Resource {
  const { etag: _etag, ...shown } = resource;
  return { ...shown, resourceGroup: groupOf(resource.id) };
}

/**
 * A vault by its name; the group need not be known, as with az.
 * @throws KannukiError KNK-AZC-0001 where there is none
 */
export async function findVault(azure: AzureConnection, name: string, group: string | undefined): Promise<Resource> {
  const what = `key vault ${name}`;
  if (group !== undefined) {
    return (await azure.call({ plane: 'management', method: 'GET', path: await vaultPath(azure, group, name), what }))
      .data;
  }
  const path = `${await subscriptionPath(azure)}/providers/Microsoft.KeyVault/vaults`;
  const all = await azure.list({ plane: 'management', path, what: 'key vaults' });
  const found = all.find((vault) => String(vault.name).toLowerCase() === name.toLowerCase());
  if (found === undefined) {
    const reason = `the subscription ${(await azure.subscription()).subscriptionId} has no vault of that name`;
    throw new KannukiError('KNK-AZC-0001', { details: { what, reason } });
  }
  return found;
}

export function propertiesOf(resource: Resource): Record<string, unknown> {
  return { ...(resource.properties as Record<string, unknown> | undefined) };
}

/** Waits for an operation and tells people that it does. */
export function untilEnd(
  azure: AzureConnection,
  reply: AzureReply,
  what: string,
  context: CommandContext,
): Promise<void> {
  const began = Date.now();
  return waitForEnd(azure, reply, {
    what,
    onWait: () => {
      const seconds = Math.round((Date.now() - began) / 1000);
      context.say({ en: `${what}: still at work (${seconds} s)`, ja: `${what}: 処理中 (${seconds} 秒)` });
    },
  });
}

/** `a=b c` → `{a: 'b', c: ''}`, as az reads `--tags`; a single empty word takes all tags away. */
export function tagsOf(words: readonly string[]): Record<string, string> {
  const pairs = words
    .filter((word) => word !== '')
    .map((word): [string, string] => {
      const at = word.indexOf('=');
      return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    });
  return Object.fromEntries(pairs);
}

export async function groupExists(azure: AzureConnection, name: string): Promise<boolean> {
  const { status } = await azure.call({
    plane: 'management',
    method: 'HEAD',
    path: await groupPath(azure, name),
    apiVersion: resourceApiVersion,
    what: `resource group ${name}`,
    expected: [404],
  });
  return status !== 404;
}
