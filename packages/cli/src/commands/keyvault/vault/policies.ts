import { KannukiError } from '@kannuki/core';
import type { AzureConnection } from '../../../azure-client/connection.ts';
import { text } from '../../../program/options.ts';
import { objectIdOfAssignee } from '../../role/roles.ts';
import { vaultOptions } from './vault-options.ts';

export interface AccessPolicy {
  readonly tenantId: string;
  readonly objectId: string;
  readonly permissions: Readonly<Record<string, readonly string[]>>;
}

export const policyOptions = {
  ...vaultOptions,
  objectId: text('OBJECTID', { en: 'object id of the principal', ja: 'プリンシパルのオブジェクト ID' }),
  spn: text('APPID', {
    en: 'client id of an application, in its place',
    ja: '代わりに、アプリケーションのクライアント ID',
  }),
};

/** @throws KannukiError KNK-CLI-0005 unless one of both is given */
export async function principalOf(
  azure: AzureConnection,
  options: { readonly objectId: string | undefined; readonly spn: string | undefined },
  command: string,
): Promise<string> {
  const { objectId, spn } = options;
  if ((objectId === undefined) === (spn === undefined)) {
    throw new KannukiError('KNK-CLI-0005', { details: { problem: 'give --object-id or --spn', command } });
  }
  return objectId ?? objectIdOfAssignee(azure, spn ?? '');
}

export function policiesOf(properties: Readonly<Record<string, unknown>>): AccessPolicy[] {
  return Array.isArray(properties.accessPolicies) ? (properties.accessPolicies as AccessPolicy[]) : [];
}

export function isFor(policy: AccessPolicy, objectId: string): boolean {
  return policy.objectId.toLowerCase() === objectId.toLowerCase();
}
