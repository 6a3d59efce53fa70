import { isIP } from 'node:net';
import { isGuid } from '@kannuki/core';
import { keyActions, secretActions } from '@kannuki/keyvault/service/actions';
import { mostAccessPolicies, type VaultChange } from '../../vaults/vault-change.ts';
import {
  type AccessPolicy,
  type NetworkRules,
  type PermissionKind,
  permissionKinds,
} from '../../vaults/vault-properties.ts';
import { invalid } from '../arm/arm-error.ts';
import { type JsonObject, objectOf, tagsIn } from '../arm/arm-request.ts';

/** Certificates and storage are not kept here; clients list them all the same (`@azure/arm-keyvault` has the words). */
const permissionWords: Readonly<Record<PermissionKind, readonly string[]>> = {
  keys: ['all', ...keyActions],
  secrets: ['all', ...secretActions],
  certificates: [
    'all get list delete create import update managecontacts getissuers listissuers setissuers deleteissuers',
    'manageissuers recover purge backup restore',
  ].flatMap((words) => words.split(' ')),
  storage: [
    'all get list delete set update regeneratekey recover purge backup restore setsas listsas getsas deletesas',
  ].flatMap((words) => words.split(' ')),
};

/** By lower case, so that any letter case is taken and one is kept. */
const knownPermissions = new Map(
  permissionKinds.map((kind) => [kind, new Map(permissionWords[kind].map((word) => [word.toLowerCase(), word]))]),
);

const mostAddresses = 1000;

/** Whether a PUT asks for a deleted vault back. @throws KannukiError KNK-ARM-0009 */
export function isRecovery(body: JsonObject): boolean {
  const mode = propertiesOf(body).createMode ?? 'default';
  if (mode !== 'default' && mode !== 'recover') throw invalid('createMode', 'it is "default" or "recover"');
  return mode === 'recover';
}

/**
 * What a PUT or PATCH of a vault says; null counts as nothing, and unknown properties are passed by, as in Azure.
 * @param tenantId of the server: a vault of another tenant cannot be made here
 * @throws KannukiError KNK-ARM-0009
 */
export function vaultChangeIn(body: JsonObject, tenantId: string): VaultChange {
  const properties = propertiesOf(body);
  const flag = (name: string): boolean | undefined => {
    const value = properties[name] ?? undefined;
    if (value !== undefined && typeof value !== 'boolean') throw invalid(name, 'it is true or false');
    return value;
  };
  if (flag('enableSoftDelete') === false) throw invalid('enableSoftDelete', 'soft delete cannot be turned off');
  const tenant = properties.tenantId ?? tenantId;
  if (typeof tenant !== 'string' || tenant.toLowerCase() !== tenantId.toLowerCase()) {
    throw invalid('tenantId', `it must be the tenant of this server, ${tenantId}`);
  }
  return {
    sku: skuIn(properties),
    enabledForDiskEncryption: flag('enabledForDiskEncryption'),
    enabledForDeployment: flag('enabledForDeployment'),
    enabledForTemplateDeployment: flag('enabledForTemplateDeployment'),
    retentionDays: retentionIn(properties),
    purgeProtection: flag('enablePurgeProtection'),
    rbac: flag('enableRbacAuthorization'),
    accessPolicies: properties.accessPolicies == null ? undefined : accessPoliciesIn(properties.accessPolicies),
    networkRules: properties.networkAcls == null ? undefined : networkRulesIn(properties.networkAcls),
    publicNetworkAccess: publicAccessIn(properties),
    tags: tagsIn(body),
  };
}

/** @throws KannukiError KNK-ARM-0009 */
export function accessPoliciesIn(value: unknown): readonly AccessPolicy[] {
  if (!Array.isArray(value)) throw invalid('accessPolicies', 'it is no list');
  if (value.length > mostAccessPolicies) throw invalid('accessPolicies', `a vault has up to ${mostAccessPolicies}`);
  return value.map((entry: unknown): AccessPolicy => {
    const policy = objectOf(entry, 'an access policy');
    const permissions = objectOf(policy.permissions ?? {}, 'permissions');
    const applicationId = policy.applicationId ?? null;
    return {
      tenantId: guidIn(policy.tenantId, 'tenantId'),
      objectId: guidIn(policy.objectId, 'objectId'),
      applicationId: applicationId === null ? null : guidIn(applicationId, 'applicationId'),
      permissions: {
        keys: permissionsIn(permissions, 'keys'),
        secrets: permissionsIn(permissions, 'secrets'),
        certificates: permissionsIn(permissions, 'certificates'),
        storage: permissionsIn(permissions, 'storage'),
      },
    };
  });
}

function propertiesOf(body: JsonObject): JsonObject {
  return objectOf(body.properties ?? {}, 'properties');
}

function guidIn(value: unknown, what: string): string {
  if (typeof value !== 'string' || !isGuid(value)) throw invalid(`${what} of an access policy`, 'it is no GUID');
  return value;
}

function permissionsIn(permissions: JsonObject, kind: PermissionKind): readonly string[] {
  const given = permissions[kind] ?? [];
  if (!Array.isArray(given) || given.length > 100) throw invalid(`permissions for ${kind}`, 'they are no list');
  const known = knownPermissions.get(kind);
  const words = given.map((word: unknown): string => {
    const canonical = typeof word === 'string' ? known?.get(word.toLowerCase()) : undefined;
    if (canonical === undefined)
      throw invalid(`permissions for ${kind}`, `one is none of ${permissionWords[kind].join(', ')}`);
    return canonical;
  });
  return [...new Set(words)];
}

function skuIn(properties: JsonObject): VaultChange['sku'] {
  if (properties.sku == null) return undefined;
  const { family = 'A', name } = objectOf(properties.sku, 'sku');
  const wanted = typeof name === 'string' ? name.toLowerCase() : '';
  if (String(family).toUpperCase() !== 'A' || (wanted !== 'standard' && wanted !== 'premium')) {
    throw invalid('sku', 'its family is A and its name standard or premium');
  }
  return wanted;
}

function retentionIn({ softDeleteRetentionInDays: days }: JsonObject): number | undefined {
  if (days == null) return undefined;
  if (typeof days !== 'number' || !Number.isInteger(days) || days < 7 || days > 90) {
    throw invalid('softDeleteRetentionInDays', 'it is a whole number from 7 to 90');
  }
  return days;
}

function publicAccessIn({ publicNetworkAccess: access }: JsonObject): VaultChange['publicNetworkAccess'] {
  if (access == null) return undefined;
  const word = typeof access === 'string' ? access.toLowerCase() : '';
  if (word === 'enabled') return 'Enabled';
  // A perimeter that we do not have lets nobody in.
  if (word === 'disabled' || word === 'securedbyperimeter') return 'Disabled';
  throw invalid('publicNetworkAccess', 'it is Enabled or Disabled');
}

function networkRulesIn(value: unknown): NetworkRules {
  const rules = objectOf(value, 'networkAcls');
  const word = (name: string, words: readonly string[], fallback: string): string => {
    const given = rules[name] ?? fallback;
    const found = words.find((one) => typeof given === 'string' && one.toLowerCase() === given.toLowerCase());
    if (found === undefined) throw invalid(`networkAcls.${name}`, `it is ${words.join(' or ')}`);
    return found;
  };
  const list = (name: string, member: string): readonly string[] => {
    const given = rules[name] ?? [];
    if (!Array.isArray(given) || given.length > mostAddresses) {
      throw invalid(`networkAcls.${name}`, `it is a list of up to ${mostAddresses}`);
    }
    return given.map((rule: unknown): string => {
      const text = objectOf(rule, `networkAcls.${name}`)[member];
      if (typeof text !== 'string' || text.length > 500) throw invalid(`networkAcls.${name}`, `${member} is no text`);
      return text;
    });
  };
  const ipRules = list('ipRules', 'value');
  if (!ipRules.every(isAddressOrRange)) throw invalid('networkAcls.ipRules', 'one is no IP address or CIDR range');
  return {
    bypass: word('bypass', ['AzureServices', 'None'], 'AzureServices') as NetworkRules['bypass'],
    defaultAction: word('defaultAction', ['Allow', 'Deny'], 'Allow') as NetworkRules['defaultAction'],
    ipRules,
    virtualNetworkRules: list('virtualNetworkRules', 'id'),
  };
}

function isAddressOrRange(text: string): boolean {
  const [, address = '', length] = /^([0-9a-fA-F.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && (length === undefined || Number(length) <= (family === 4 ? 32 : 128));
}
