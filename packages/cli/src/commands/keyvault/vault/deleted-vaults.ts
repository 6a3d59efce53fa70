import { KannukiError } from '@kannuki/core';
import { type AzureConnection, pathOf } from '../../../azure-client/connection.ts';
import { dataOption } from '../../../azure-client/data-option.ts';
import { type Resource, subscriptionPath } from '../../../azure-client/resources.ts';
import { text } from '../../../program/options.ts';
import { locationOption } from './vault-options.ts';

export const deletedVaultOptions = {
  name: text(
    'KV',
    { en: 'name of the deleted vault', ja: '削除されたキー コンテナーの名前' },
    { short: 'n', required: true },
  ),
  location: locationOption,
  data: dataOption,
};

export async function listDeletedVaults(azure: AzureConnection): Promise<Resource[]> {
  const path = `${await subscriptionPath(azure)}/providers/Microsoft.KeyVault/deletedVaults`;
  return azure.list({ plane: 'management', path, what: 'deleted key vaults' });
}

/** @throws KannukiError KNK-AZC-0001 where there is none of that name */
export async function findDeletedVault(
  azure: AzureConnection,
  name: string,
  location: string | undefined,
): Promise<Resource> {
  const what = `deleted key vault ${name}`;
  if (location !== undefined) {
    return (
      await azure.call({ plane: 'management', method: 'GET', path: await deletedPath(azure, name, location), what })
    ).data;
  }
  const all = await listDeletedVaults(azure);
  const found = all.find((vault) => String(vault.name).toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  throw new KannukiError('KNK-AZC-0001', { details: { what, reason: 'no deleted vault has this name' } });
}

export async function deletedPath(azure: AzureConnection, name: string, location: string): Promise<string> {
  const provider = `${await subscriptionPath(azure)}/providers/Microsoft.KeyVault`;
  return `${provider}${pathOf('locations', location, 'deletedVaults', name)}`;
}
