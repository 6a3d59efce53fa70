import { readFileSync } from 'node:fs';
import { KeyVaultManagementClient } from '@azure/arm-keyvault';
import { ResourceManagementClient } from '@azure/arm-resources';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import { SecretClient } from '@azure/keyvault-secrets';
import type { AdminJson } from '../server-process.ts';

const { KANNUKI_CONFORMANCE_ADMIN: file, KANNUKI_CONFORMANCE_MODE: mode } = process.env;
if (file === undefined) throw new Error('run it with "npm run conformance:keyvault"');

export const admin = JSON.parse(readFileSync(file, 'utf8')) as AdminJson;
export const isProxied = mode === 'proxy';

/** In proxy mode nothing at all is configured; else only where the cloud is. */
export const credential = isProxied
  ? new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret)
  : new ClientSecretCredential(admin.tenantId, admin.clientId, admin.clientSecret, {
      authorityHost: admin.server,
      disableInstanceDiscovery: true,
    });

const cloud = isProxied
  ? {}
  : {
      endpoint: admin.server,
      credentialScopes: [`${admin.server}/.default`],
      credentials: { scopes: [`${admin.server}/.default`] },
    };

export const vaults = new KeyVaultManagementClient(credential, admin.subscriptionId, cloud);
export const resources = new ResourceManagementClient(credential, admin.subscriptionId, cloud);

export const location = 'local';
export const group = 'conformance';

export function vaultUrl(name: string): string {
  return isProxied ? `https://${name}.vault.azure.net` : `https://${name}.${admin.vaultDnsSuffix}`;
}

/** A vault of its own for each test file, with everything allowed to the administrator. */
export async function makeVault(
  name: string,
  more: { readonly sku?: 'standard' | 'premium'; readonly enablePurgeProtection?: true } = {},
): Promise<{ readonly keys: KeyClient; readonly secrets: SecretClient; readonly url: string }> {
  const { sku = 'standard', ...properties } = more;
  await resources.resourceGroups.createOrUpdate(group, { location });
  await vaults.vaults.createOrUpdate(group, name, {
    location,
    properties: {
      tenantId: admin.tenantId,
      sku: { family: 'A', name: sku },
      enabledForDiskEncryption: true,
      enableRbacAuthorization: true,
      ...properties,
    },
  });
  const url = vaultUrl(name);
  return { url, keys: new KeyClient(url, credential), secrets: new SecretClient(url, credential) };
}

/** Pollers of the SDKs wait 2 s between looks unless told otherwise. */
export const quick = { intervalInMs: 50 } as const;

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
