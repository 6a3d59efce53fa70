import { SecretBytes } from '@kannuki/core';
import type { KeyShape } from '../service/key-module.ts';
import type { KeyVersion } from '../service/model.ts';
import type { VaultKeys } from '../service/vault-objects.ts';
import { assertNotReleasable, curves, keyChange, operationsOf, tagsOf, validityOf } from './attributes.ts';
import { backupBody, backupOf } from './backups.ts';
import { deletedKeyBundle, deletedKeyItem, keyBundle, keyItem, pageBody } from './bundles.ts';
import { type Answer, type Call, type Handler, nameOf, noContent, ok, versionOf } from './call.ts';
import { booleanOf, integerOf, objectOf, requiredText, requireObject, wordOf } from './fields.ts';
import type { JsonObject } from './json-value/parse.ts';
import { readPrivateJwk } from './private-jwk.ts';
import { badParameter, Refusal } from './refusal.ts';

/** Keys but for their use (REQ-328 to REQ-334, REQ-339, REQ-342 to REQ-344). */

const rsaBits = [2048, 3072, 4096];
const maximumRandomBytes = 128;

export const createKey: Handler = async (call) => {
  const body = requireObject(call.body);
  const { shape, hardware } = newShape(body);
  assertNotReleasable(body);
  const spec = {
    shape,
    hardware,
    operations: operationsOf(body) ?? null,
    tags: tagsOf(body, 'keys') ?? {},
    ...validityOf(body),
  };
  assertPremium(call, hardware);
  return bundle(call, await keysOf(call).create(nameOf(call), spec, call.terms));
};

/** REQ-327, REQ-328. @throws Refusal 400 */
export function newShape(body: JsonObject): { readonly shape: KeyShape; readonly hardware: boolean } {
  const kind = requiredText(body, 'kty', 20);
  const hardware = kind.endsWith('-HSM');
  switch (kind) {
    case 'RSA':
    case 'RSA-HSM': {
      const bits = integerOf(body, 'key_size', 0, 65_536) ?? 2048;
      if (!rsaBits.includes(bits)) throw badParameter('key_size', 'RSA keys have 2048, 3072 or 4096 bits');
      if ((integerOf(body, 'public_exponent', 0, 0xffff_ffff) ?? 65_537) !== 65_537) {
        throw badParameter('public_exponent', 'it is always 65537');
      }
      return { shape: { kty: 'RSA', bits }, hardware };
    }
    case 'EC':
    case 'EC-HSM':
      return { shape: { kty: 'EC', crv: wordOf(body, 'crv', curves) ?? 'P-256' }, hardware };
    default:
      throw badParameter('kty', 'a vault holds keys of the kinds RSA, EC, RSA-HSM and EC-HSM');
  }
}

/** The PKCS #8 form is the vault's from the moment that it is called. */
export const importKey: Handler = async (call) => {
  const body = requireObject(call.body);
  assertNotReleasable(body);
  const jwk = objectOf(body, 'key');
  if (jwk === undefined) throw badParameter('key', 'it is missing');
  const settings = {
    operations: operationsOf(jwk) ?? operationsOf(body) ?? null,
    tags: tagsOf(body, 'keys') ?? {},
    ...validityOf(body),
  };
  const asked = booleanOf(body, 'Hsm') ?? booleanOf(body, 'hsm') ?? false;
  const { privateKey, isHardwareKind } = await readPrivateJwk(jwk);
  using _ = privateKey;
  const hardware = asked || isHardwareKind;
  assertPremium(call, hardware);
  return bundle(call, await keysOf(call).import(nameOf(call), { privateKey, hardware, ...settings }, call.terms));
};

export const getKey: Handler = async (call) => bundle(call, await keysOf(call).get(nameOf(call), versionOf(call)));

export const listKeys: Handler = async (call) => {
  const page = await keysOf(call).list(call.query);
  return ok(
    pageBody(call, 'keys', page, (key) => keyItem(call, key, false)),
    null,
  );
};

export const listKeyVersions: Handler = async (call) => {
  const name = nameOf(call);
  const page = await keysOf(call).versions(name, call.query);
  return ok(
    pageBody(call, `keys/${name}/versions`, page, (key) => keyItem(call, key, true)),
    { name, version: null },
  );
};

export const updateKey: Handler = async (call) => {
  const change = keyChange(requireObject(call.body));
  return bundle(call, await keysOf(call).update(nameOf(call), versionOf(call), change));
};

export const deleteKey: Handler = async (call) => {
  const key = await keysOf(call).delete(nameOf(call), call.terms);
  return ok(deletedKeyBundle(call, key), key);
};

export const getDeletedKey: Handler = async (call) => {
  const key = await keysOf(call).getDeleted(nameOf(call));
  return ok(deletedKeyBundle(call, key), key);
};

export const listDeletedKeys: Handler = async (call) => {
  const page = await keysOf(call).listDeleted(call.query);
  return ok(
    pageBody(call, 'deletedkeys', page, (key) => deletedKeyItem(call, key)),
    null,
  );
};

export const recoverKey: Handler = async (call) => bundle(call, await keysOf(call).recover(nameOf(call)));

export const purgeKey: Handler = async (call) => {
  const name = nameOf(call);
  await keysOf(call).purge(name, call.terms);
  return noContent({ name, version: null });
};

export const backupKey: Handler = async (call) => {
  const name = nameOf(call);
  const backup = await keysOf(call).backup(name);
  return ok(backupBody(backup), { name, version: null });
};

export const restoreKey: Handler = async (call) =>
  bundle(call, await keysOf(call).restore(backupOf(requireObject(call.body))));

export const rotateKey: Handler = async (call) => bundle(call, await keysOf(call).rotate(nameOf(call), call.terms));

/** Nothing that could be released exists here: no key is exportable (REQ-342). */
export const releaseKey: Handler = async (call) => {
  await keysOf(call).get(nameOf(call), versionOf(call));
  throw new Refusal(403, 'Forbidden', 'The key is not exportable and cannot be released.', {
    inner: 'KeyOperationForbidden',
  });
};

/** REQ-344. */
export const randomBytes: Handler = async (call) => {
  const body = requireObject(call.body);
  const count = integerOf(body, 'count', 1, maximumRandomBytes);
  if (count === undefined) throw badParameter('count', 'it is missing');
  return ok({}, null, { form: 'base64url', secret: SecretBytes.random(count) });
};

export function keysOf(call: Call): VaultKeys {
  return call.objects.keys;
}

function bundle(call: Call, key: KeyVersion): Answer {
  return ok(keyBundle(call, key), key);
}

function assertPremium(call: Call, hardware: boolean): void {
  if (!hardware || call.terms.premium) return;
  throw new Refusal(400, 'BadParameter', 'Keys of the kinds RSA-HSM and EC-HSM need a vault of the SKU premium.');
}
