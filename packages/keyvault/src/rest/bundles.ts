import type { VaultSettings } from '../service/access.ts';
import type {
  DeletedKey,
  DeletedSecret,
  Deletion,
  KeyVersion,
  Page,
  RotationPolicy,
  SecretVersion,
  Stamps,
  Tags,
  Validity,
} from '../service/model.ts';
import type { Call } from './call.ts';
import { nextLink } from './path.ts';

/** Objects as they go over the wire (REQ-328, REQ-332, REQ-333, REQ-345). Members without a value are left out. */

export function keyBundle(call: Call, key: KeyVersion): object {
  return {
    key: { kid: versionId(call, 'keys', key), kty: key.kind, key_ops: key.operations, ...publicMembers(key) },
    attributes: { ...attributes(call.settings, key), exportable: false },
    ...tagsOf(key),
  };
}

export function deletedKeyBundle(call: Call, key: DeletedKey): object {
  return { ...deletionOf(call, 'deletedkeys', key), ...keyBundle(call, key) };
}

/** Lists of keys name the key, lists of versions the version. */
export function keyItem(call: Call, key: KeyVersion, isVersion: boolean): object {
  return {
    kid: isVersion ? versionId(call, 'keys', key) : objectId(call, 'keys', key.name),
    attributes: attributes(call.settings, key),
    ...tagsOf(key),
  };
}

export function deletedKeyItem(call: Call, key: DeletedKey): object {
  return { ...deletionOf(call, 'deletedkeys', key), ...keyItem(call, key, false) };
}

/** Without the value, which is put in as bytes. */
export function secretBundle(call: Call, secret: SecretVersion): object {
  return { id: versionId(call, 'secrets', secret), ...secretMembers(call, secret) };
}

export function deletedSecretBundle(call: Call, secret: DeletedSecret): object {
  return { ...deletionOf(call, 'deletedsecrets', secret), ...secretBundle(call, secret) };
}

export function secretItem(call: Call, secret: SecretVersion, isVersion: boolean): object {
  const id = isVersion ? versionId(call, 'secrets', secret) : objectId(call, 'secrets', secret.name);
  return { id, ...secretMembers(call, secret) };
}

export function deletedSecretItem(call: Call, secret: DeletedSecret): object {
  return { ...deletionOf(call, 'deletedsecrets', secret), ...secretItem(call, secret, false) };
}

export function rotationPolicyBody(call: Call, name: string, policy: RotationPolicy): object {
  return {
    id: `${objectId(call, 'keys', name)}/rotationpolicy`,
    lifetimeActions: policy.lifetimeActions.map(({ action, timeAfterCreate, timeBeforeExpiry }) => ({
      trigger: {
        ...(timeAfterCreate === null ? {} : { timeAfterCreate }),
        ...(timeBeforeExpiry === null ? {} : { timeBeforeExpiry }),
      },
      action: { type: action },
    })),
    attributes: {
      ...(policy.expiryTime === null ? {} : { expiryTime: policy.expiryTime }),
      created: policy.created,
      updated: policy.updated,
    },
  };
}

/** @param path of the collection, for the link to what follows */
export function pageBody<Item>(call: Call, path: string, page: Page<Item>, item: (item: Item) => object): object {
  const link = page.next === null ? null : nextLink(call.baseUrl, path, call.query, page.next);
  return { value: page.items.map(item), nextLink: link };
}

export function keyId(call: Call, key: { readonly name: string; readonly version: string }): string {
  return versionId(call, 'keys', key);
}

/** REQ-353. */
export function recoveryLevel(settings: Pick<VaultSettings, 'softDeleteRetentionDays' | 'purgeProtection'>): string {
  const level = settings.softDeleteRetentionDays < 90 ? 'CustomizedRecoverable' : 'Recoverable';
  return settings.purgeProtection ? level : `${level}+Purgeable`;
}

function secretMembers(call: Call, secret: SecretVersion): object {
  return {
    ...(secret.contentType === null ? {} : { contentType: secret.contentType }),
    attributes: attributes(call.settings, secret),
    ...tagsOf(secret),
  };
}

function attributes(settings: VaultSettings, item: Validity & Stamps): object {
  return {
    enabled: item.enabled,
    ...(item.notBefore === null ? {} : { nbf: item.notBefore }),
    ...(item.expires === null ? {} : { exp: item.expires }),
    created: item.created,
    updated: item.updated,
    recoveryLevel: recoveryLevel(settings),
    recoverableDays: settings.softDeleteRetentionDays,
  };
}

function publicMembers({ publicKey }: KeyVersion): object {
  return publicKey.kty === 'RSA'
    ? { n: publicKey.n, e: publicKey.e }
    : { crv: publicKey.crv, x: publicKey.x, y: publicKey.y };
}

function deletionOf(call: Call, collection: string, item: Deletion & { readonly name: string }): object {
  return {
    recoveryId: objectId(call, collection, item.name),
    deletedDate: item.deletedDate,
    scheduledPurgeDate: item.scheduledPurgeDate,
  };
}

function tagsOf({ tags }: { readonly tags: Tags }): object {
  for (const _ in tags) return { tags };
  return {};
}

function objectId(call: Call, collection: string, name: string): string {
  return `${call.baseUrl}/${collection}/${name}`;
}

function versionId(call: Call, collection: string, item: { readonly name: string; readonly version: string }): string {
  return `${call.baseUrl}/${collection}/${item.name}/${item.version}`;
}
