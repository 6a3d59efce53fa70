import { constants, createHash, publicDecrypt, publicEncrypt, randomBytes, verify } from 'node:crypto';
import type { EncryptionAlgorithm, KeyShape, ModuleCapabilities, SignatureAlgorithm } from '../service/key-module.ts';
import type { CurveName, PublicJwk } from '../service/model.ts';
import { encryptionAlgorithms, rsaSignatures } from './algorithms.ts';
import type { ObjectHandle } from './cryptoki.ts';
import { makeKeyPair } from './key-pairs.ts';
import { decryptIn, signIn } from './private-operations.ts';
import { curves, keyObjectOf } from './public-key.ts';
import type { Pkcs11Token, TokenCall } from './token.ts';

const rsaSizes = [2048, 3072, 4096] as const;

/**
 * What a token really does. Its mechanism list says what it may try; whether the result is right is seen by doing it
 * once with keys that end with their session: SoftHSM 2.6.1 lists OAEP and refuses any hash but SHA-1.
 */
export async function probeCapabilities(token: Pkcs11Token): Promise<ModuleCapabilities> {
  const mechanisms = token.mechanisms();
  const { CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN } = token.binding;
  const shapes: KeyShape[] = [];
  const encryption: EncryptionAlgorithm[] = [];
  const signature: SignatureAlgorithm[] = [];

  const rsa = mechanisms.get(CKM_RSA_PKCS_KEY_PAIR_GEN);
  if (rsa !== undefined) {
    const found = await probeKey(token, { kty: 'RSA', bits: 2048 }, encryptionAlgorithms, rsaSignatures);
    encryption.push(...found.encryption);
    signature.push(...found.signature);
    if (found.encryption.length + found.signature.length > 0) {
      for (const bits of rsaSizes) if (bits >= rsa.minimum && bits <= rsa.maximum) shapes.push({ kty: 'RSA', bits });
    }
  }
  if (mechanisms.has(CKM_EC_KEY_PAIR_GEN)) {
    for (const crv of Object.keys(curves) as CurveName[]) {
      const found = await probeKey(token, { kty: 'EC', crv }, [], [curves[crv].signature]);
      signature.push(...found.signature);
      if (found.signature.length > 0) shapes.push({ kty: 'EC', crv });
    }
  }
  return { shapes, encryption, signature };
}

interface Probed {
  readonly encryption: readonly EncryptionAlgorithm[];
  readonly signature: readonly SignatureAlgorithm[];
}

/** Each algorithm has a session of its own: one that failed may leave its session unusable. */
async function probeKey(
  token: Pkcs11Token,
  shape: KeyShape,
  encryptions: readonly EncryptionAlgorithm[],
  signatures: readonly SignatureAlgorithm[],
): Promise<Probed> {
  const encryption: EncryptionAlgorithm[] = [];
  const signature: SignatureAlgorithm[] = [];
  await succeeds(token, async (call) => {
    const { publicKey, privateObject } = await makeKeyPair(call, token.label, shape, undefined);
    for (const algorithm of encryptions) {
      if (await succeeds(token, (own) => decrypts(own, publicKey, privateObject, algorithm)))
        encryption.push(algorithm);
    }
    for (const algorithm of signatures) {
      if (await succeeds(token, (own) => signs(own, publicKey, privateObject, algorithm))) signature.push(algorithm);
    }
    return true;
  });
  return { encryption, signature };
}

/** Whatever goes wrong in a trial, the token's refusal or a result that node:crypto cannot read, means that it cannot. */
async function succeeds(token: Pkcs11Token, trial: (call: TokenCall) => Promise<boolean>): Promise<boolean> {
  try {
    return await token.use(trial);
  } catch {
    return false;
  }
}

async function decrypts(
  call: TokenCall,
  publicKey: PublicJwk,
  key: ObjectHandle,
  algorithm: EncryptionAlgorithm,
): Promise<boolean> {
  const text = randomBytes(32);
  const padding = algorithm === 'RSA1_5' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
  const oaepHash = algorithm === 'RSA-OAEP-256' ? 'sha256' : 'sha1';
  const wrapped = publicEncrypt({ key: keyObjectOf(publicKey), padding, oaepHash }, text);
  using plain = await decryptIn(call, key, algorithm, wrapped);
  return text.equals(plain.bytes);
}

async function signs(
  call: TokenCall,
  publicKey: PublicJwk,
  key: ObjectHandle,
  algorithm: SignatureAlgorithm,
): Promise<boolean> {
  const message = randomBytes(32);
  const object = keyObjectOf(publicKey);
  if (algorithm === 'RSNULL') {
    const signature = await signIn(call, key, algorithm, message);
    return publicDecrypt({ key: object, padding: constants.RSA_PKCS1_PADDING }, signature).equals(message);
  }
  const hash = `sha${algorithm.slice(2, 5)}`;
  const signature = await signIn(call, key, algorithm, createHash(hash).update(message).digest());
  const padding = algorithm.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const how = publicKey.kty === 'EC' ? { dsaEncoding: 'ieee-p1363' as const } : { padding };
  return verify(hash, message, { key: object, ...how }, signature);
}
