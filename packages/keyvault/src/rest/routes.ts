import type { DataAction } from '../service/actions.ts';
import { restoreLimit } from './backups.ts';
import type { Handler } from './call.ts';
import type { BytePlan } from './json-value/parse.ts';
import * as keys from './key-calls.ts';
import { decryptWith, encryptWith, signWith, useBytes, verifyWith } from './key-use.ts';
import { jwkBytes } from './private-jwk.ts';
import { getRotationPolicy, setRotationPolicy } from './rotation-policy.ts';
import * as secrets from './secret-calls.ts';

export interface Route {
  readonly method: string;
  /** As `parsePath` gives it. */
  readonly pattern: string;
  /** As Azure's logs name the call. */
  readonly operation: string;
  readonly action: DataAction;
  readonly handle: Handler;
  /** Null where the call takes no body: what comes is not looked at. */
  readonly body: { readonly limit: number; readonly plan: BytePlan | null } | null;
  /** Calls that make key material or a secret have limits of their own (REQ-367, REQ-368). */
  readonly makes: 'key' | 'secret' | null;
}

export const bodyLimit = 64 * 1024;

type Row = readonly [
  method: string,
  pattern: string,
  operation: string,
  action: DataAction,
  handle: Handler,
  body?: Route['body'],
  makes?: Route['makes'],
];

const json: Route['body'] = { limit: bodyLimit, plan: null };
const use: Route['body'] = { limit: bodyLimit, plan: useBytes };
const jwk: Route['body'] = { limit: bodyLimit, plan: new Map([['key', jwkBytes]]) };
const value: Route['body'] = { limit: bodyLimit, plan: secrets.secretBytes };
const backup: Route['body'] = { limit: restoreLimit, plan: null };

const cryptography = [
  ['encrypt', 'KeyEncrypt', 'keys/encrypt', encryptWith('encrypt')],
  ['decrypt', 'KeyDecrypt', 'keys/decrypt', decryptWith('decrypt')],
  ['wrapkey', 'KeyWrap', 'keys/wrapKey', encryptWith('wrapKey')],
  ['unwrapkey', 'KeyUnwrap', 'keys/unwrapKey', decryptWith('unwrapKey')],
  ['sign', 'KeySign', 'keys/sign', signWith],
  ['verify', 'KeyVerify', 'keys/verify', verifyWith],
  ['release', 'KeyRelease', 'keys/release', keys.releaseKey],
] as const;

const rows: readonly Row[] = [
  ['GET', 'keys', 'KeyList', 'keys/list', keys.listKeys],
  ['POST', 'keys/restore', 'KeyRestore', 'keys/restore', keys.restoreKey, backup],
  ['GET', 'keys/{n}', 'KeyGet', 'keys/get', keys.getKey],
  ['PUT', 'keys/{n}', 'KeyImport', 'keys/import', keys.importKey, jwk, 'key'],
  ['PATCH', 'keys/{n}', 'KeyUpdate', 'keys/update', keys.updateKey, json],
  ['DELETE', 'keys/{n}', 'KeyDelete', 'keys/delete', keys.deleteKey],
  ['GET', 'keys/{n}/{v}', 'KeyGet', 'keys/get', keys.getKey],
  ['PATCH', 'keys/{n}/{v}', 'KeyUpdate', 'keys/update', keys.updateKey, json],
  ['POST', 'keys/{n}/create', 'KeyCreate', 'keys/create', keys.createKey, json, 'key'],
  ['GET', 'keys/{n}/versions', 'KeyListVersions', 'keys/list', keys.listKeyVersions],
  ['POST', 'keys/{n}/backup', 'KeyBackup', 'keys/backup', keys.backupKey],
  ['POST', 'keys/{n}/rotate', 'KeyRotate', 'keys/rotate', keys.rotateKey, null, 'key'],
  ['GET', 'keys/{n}/rotationpolicy', 'KeyRotationPolicyGet', 'keys/getrotationpolicy', getRotationPolicy],
  ['PUT', 'keys/{n}/rotationpolicy', 'KeyRotationPolicySet', 'keys/setrotationpolicy', setRotationPolicy, json],
  ['GET', 'deletedkeys', 'KeyListDeleted', 'keys/list', keys.listDeletedKeys],
  ['GET', 'deletedkeys/{n}', 'KeyGetDeleted', 'keys/get', keys.getDeletedKey],
  ['DELETE', 'deletedkeys/{n}', 'KeyPurge', 'keys/purge', keys.purgeKey],
  ['POST', 'deletedkeys/{n}/recover', 'KeyRecover', 'keys/recover', keys.recoverKey],
  ['POST', 'rng', 'RandomBytesGet', 'keys/create', keys.randomBytes, json],
  ['GET', 'secrets', 'SecretList', 'secrets/list', secrets.listSecrets],
  ['POST', 'secrets/restore', 'SecretRestore', 'secrets/restore', secrets.restoreSecret, backup],
  ['GET', 'secrets/{n}', 'SecretGet', 'secrets/get', secrets.getSecret],
  ['PUT', 'secrets/{n}', 'SecretSet', 'secrets/set', secrets.setSecret, value, 'secret'],
  ['PATCH', 'secrets/{n}', 'SecretUpdate', 'secrets/set', secrets.updateSecret, json],
  ['DELETE', 'secrets/{n}', 'SecretDelete', 'secrets/delete', secrets.deleteSecret],
  ['GET', 'secrets/{n}/{v}', 'SecretGet', 'secrets/get', secrets.getSecret],
  ['PATCH', 'secrets/{n}/{v}', 'SecretUpdate', 'secrets/set', secrets.updateSecret, json],
  ['GET', 'secrets/{n}/versions', 'SecretListVersions', 'secrets/list', secrets.listSecretVersions],
  ['POST', 'secrets/{n}/backup', 'SecretBackup', 'secrets/backup', secrets.backupSecret],
  ['GET', 'deletedsecrets', 'SecretListDeleted', 'secrets/list', secrets.listDeletedSecrets],
  ['GET', 'deletedsecrets/{n}', 'SecretGetDeleted', 'secrets/get', secrets.getDeletedSecret],
  ['DELETE', 'deletedsecrets/{n}', 'SecretPurge', 'secrets/purge', secrets.purgeSecret],
  ['POST', 'deletedsecrets/{n}/recover', 'SecretRecover', 'secrets/recover', secrets.recoverSecret],
  ...cryptography.flatMap(([verb, operation, action, handle]): Row[] => [
    ['POST', `keys/{n}/${verb}`, operation, action, handle, use],
    ['POST', `keys/{n}/{v}/${verb}`, operation, action, handle, use],
  ]),
];

export const routes: readonly Route[] = rows.map(
  ([method, pattern, operation, action, handle, body = null, makes = null]) => ({
    method,
    pattern,
    operation,
    action,
    handle,
    body,
    makes,
  }),
);

const byPattern = new Map<string, Map<string, Route>>();
for (const route of routes) {
  const methods = byPattern.get(route.pattern) ?? new Map<string, Route>();
  byPattern.set(route.pattern, methods.set(route.method, route));
}

/** By method; undefined where no method has this pattern. */
export function routesAt(pattern: string): ReadonlyMap<string, Route> | undefined {
  return byPattern.get(pattern);
}
