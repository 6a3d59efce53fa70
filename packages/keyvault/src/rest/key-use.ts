import type { SecretBytes } from '@kannuki/core';
import type { EncryptionAlgorithm, SignatureAlgorithm } from '../service/key-module.ts';
import { keyId } from './bundles.ts';
import { type Handler, nameOf, ok, versionOf } from './call.ts';
import { base64UrlOf, requireObject, wordOf } from './fields.ts';
import type { BytePlan, JsonObject } from './json-value/parse.ts';
import { keysOf } from './key-calls.ts';
import { badParameter } from './refusal.ts';

/** What keys are for (REQ-335 to REQ-338). Values go from base64url to bytes and back without being strings. */

export const useBytes: BytePlan = new Map([
  ['value', 'bytes'],
  ['digest', 'bytes'],
]);

const encryptionAlgorithms: readonly EncryptionAlgorithm[] = ['RSA-OAEP', 'RSA-OAEP-256', 'RSA1_5'];
/** With the length of the digest, bytes (REQ-337); RSNULL signs what it is given. */
const signatureAlgorithms: Readonly<Record<SignatureAlgorithm, number | null>> = {
  PS256: 32,
  PS384: 48,
  PS512: 64,
  RS256: 32,
  RS384: 48,
  RS512: 64,
  RSNULL: null,
  ES256: 32,
  ES384: 48,
  ES512: 64,
  ES256K: 32,
};
const signatureNames = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];
/** More than any RSA key here takes or gives. */
const maximumValueBytes = 4096;

export const encryptWith =
  (operation: 'encrypt' | 'wrapKey'): Handler =>
  async (call) => {
    const body = requireObject(call.body);
    const algorithm = algorithmOf(body, encryptionAlgorithms);
    using plain = boundedValue(body, 'value');
    const { key, value } = await keysOf(call).encrypt(nameOf(call), versionOf(call), operation, algorithm, plain);
    return ok({ kid: keyId(call, key), value: Buffer.from(value).toString('base64url') }, key);
  };

export const decryptWith =
  (operation: 'decrypt' | 'unwrapKey'): Handler =>
  async (call) => {
    const body = requireObject(call.body);
    const algorithm = algorithmOf(body, encryptionAlgorithms);
    using ciphertext = boundedValue(body, 'value');
    const { key, value } = await keysOf(call).decrypt(
      nameOf(call),
      versionOf(call),
      operation,
      algorithm,
      ciphertext.bytes,
    );
    return ok({ kid: keyId(call, key) }, key, { form: 'base64url', secret: value });
  };

export const signWith: Handler = async (call) => {
  const body = requireObject(call.body);
  const algorithm = algorithmOf(body, signatureNames);
  using digest = digestOf(body, 'value', algorithm);
  const { key, value } = await keysOf(call).sign(nameOf(call), versionOf(call), algorithm, digest.bytes);
  return ok({ kid: keyId(call, key), value: Buffer.from(value).toString('base64url') }, key);
};

export const verifyWith: Handler = async (call) => {
  const body = requireObject(call.body);
  const algorithm = algorithmOf(body, signatureNames);
  using digest = digestOf(body, 'digest', algorithm);
  using signature = boundedValue(body, 'value');
  const { key, value } = await keysOf(call).verify(
    nameOf(call),
    versionOf(call),
    algorithm,
    digest.bytes,
    signature.bytes,
  );
  return ok({ value }, key);
};

function algorithmOf<Name extends string>(body: JsonObject, names: readonly Name[]): Name {
  const algorithm = wordOf(body, 'alg', names);
  if (algorithm === undefined) throw badParameter('alg', 'it is missing');
  return algorithm;
}

function boundedValue(body: JsonObject, member: string): SecretBytes {
  const value = base64UrlOf(body, member);
  if (value.length <= maximumValueBytes) return value;
  value[Symbol.dispose]();
  throw badParameter(member, 'it is too long');
}

function digestOf(body: JsonObject, member: string, algorithm: SignatureAlgorithm): SecretBytes {
  const digest = boundedValue(body, member);
  const length = signatureAlgorithms[algorithm];
  if (length === null || digest.length === length) return digest;
  digest[Symbol.dispose]();
  throw badParameter(member, `${algorithm} takes a digest of ${length} bytes`);
}
