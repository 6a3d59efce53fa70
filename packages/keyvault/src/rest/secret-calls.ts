import { maximumSecretBytes } from '../limits.ts';
import type { SecretVersion } from '../service/model.ts';
import type { VaultSecrets } from '../service/vault-objects.ts';
import { contentTypeOf, secretChange, tagsOf, validityOf } from './attributes.ts';
import { backupBody, backupOf } from './backups.ts';
import { deletedSecretBundle, deletedSecretItem, pageBody, secretBundle, secretItem } from './bundles.ts';
import { type Answer, type Call, type Handler, nameOf, noContent, ok, versionOf } from './call.ts';
import { bytesOf, requireObject } from './fields.ts';
import type { BytePlan } from './json-value/parse.ts';
import { badParameter } from './refusal.ts';

/** Secrets (REQ-345 to REQ-349). */

export const secretBytes: BytePlan = new Map([['value', 'bytes']]);

/** The answer holds the value again, as Azure's does. */
export const setSecret: Handler = async (call) => {
  const body = requireObject(call.body);
  const value = bytesOf(body, 'value');
  if (value.length > maximumSecretBytes) throw badParameter('value', `it is longer than ${maximumSecretBytes} bytes`);
  const spec = {
    value,
    contentType: contentTypeOf(body) ?? null,
    tags: tagsOf(body, 'secrets') ?? {},
    ...validityOf(body),
  };
  const secret = await secretsOf(call).set(nameOf(call), spec, call.terms);
  return ok(secretBundle(call, secret), secret, { form: 'text', secret: value });
};

export const getSecret: Handler = async (call) => {
  const secret = await secretsOf(call).get(nameOf(call), versionOf(call));
  return ok(secretBundle(call, secret), secret, { form: 'text', secret: secret.value });
};

export const listSecrets: Handler = async (call) => {
  const page = await secretsOf(call).list(call.query);
  return ok(
    pageBody(call, 'secrets', page, (secret) => secretItem(call, secret, false)),
    null,
  );
};

export const listSecretVersions: Handler = async (call) => {
  const name = nameOf(call);
  const page = await secretsOf(call).versions(name, call.query);
  return ok(
    pageBody(call, `secrets/${name}/versions`, page, (secret) => secretItem(call, secret, true)),
    { name, version: null },
  );
};

export const updateSecret: Handler = async (call) => {
  const change = secretChange(requireObject(call.body));
  return bundle(call, await secretsOf(call).update(nameOf(call), versionOf(call), change));
};

export const deleteSecret: Handler = async (call) => {
  const secret = await secretsOf(call).delete(nameOf(call), call.terms);
  return ok(deletedSecretBundle(call, secret), secret);
};

export const getDeletedSecret: Handler = async (call) => {
  const secret = await secretsOf(call).getDeleted(nameOf(call));
  return ok(deletedSecretBundle(call, secret), secret);
};

export const listDeletedSecrets: Handler = async (call) => {
  const page = await secretsOf(call).listDeleted(call.query);
  return ok(
    pageBody(call, 'deletedsecrets', page, (secret) => deletedSecretItem(call, secret)),
    null,
  );
};

export const recoverSecret: Handler = async (call) => bundle(call, await secretsOf(call).recover(nameOf(call)));

export const purgeSecret: Handler = async (call) => {
  const name = nameOf(call);
  await secretsOf(call).purge(name, call.terms);
  return noContent({ name, version: null });
};

export const backupSecret: Handler = async (call) => {
  const name = nameOf(call);
  const backup = await secretsOf(call).backup(name);
  return ok(backupBody(backup), { name, version: null });
};

export const restoreSecret: Handler = async (call) =>
  bundle(call, await secretsOf(call).restore(backupOf(requireObject(call.body))));

function secretsOf(call: Call): VaultSecrets {
  return call.objects.secrets;
}

function bundle(call: Call, secret: SecretVersion): Answer {
  return ok(secretBundle(call, secret), secret);
}
