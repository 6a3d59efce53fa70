import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { KannukiError, SecretBytes } from '@kannuki/core';
import type { KeyShape } from '../../service/key-module.ts';
import { generateRsa } from '../rsa.ts';
import { curveByOpensslName, curves } from './curves.ts';
import { generateEc } from './ecdsa.ts';

export const rsaBits: readonly number[] = [2048, 3072, 4096];
/** Of imported keys: below 2^32, and odd as all are. Small exponents harm nothing here: all padding is random or strict. */
const largestExponent = 0xffff_ffffn;

/** RSA of 4096 bits takes 2.4 KiB. */
const largestPkcs8 = 8 * 1024;

/** A key pair in software. */
export interface KeyMaterial {
  readonly shape: KeyShape;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** PKCS #8, DER; the caller disposes it. */
  readonly privateKey: SecretBytes;
}

/** @throws KannukiError KNK-KVT-0022 for a size or curve that vaults do not have (REQ-327) */
export function assertShape(shape: KeyShape): void {
  if (shape.kty === 'RSA' ? rsaBits.includes(shape.bits) : Object.hasOwn(curves, shape.crv)) return;
  throw unusable(`keys are RSA of ${rsaBits.join(', ')} bits or EC on ${Object.keys(curves).join(', ')}`);
}

export async function generateMaterial(shape: KeyShape): Promise<KeyMaterial> {
  const pair = shape.kty === 'RSA' ? await generateRsa(shape.bits) : await generateEc(curves[shape.crv]);
  return { shape, ...pair };
}

const signMessage = promisify(sign);
const verifyMessage = promisify(verify);

/**
 * Reads a private key that comes from elsewhere and writes it anew in OpenSSL's form, without attributes it may have had.
 * @param pkcs8 stays the caller's
 * @throws KannukiError KNK-KVT-0022 where it is no key, not one of a vault's kinds, or its parts do not fit together
 */
export async function importMaterial(pkcs8: SecretBytes): Promise<KeyMaterial> {
  const key = parsed(pkcs8);
  const shape = shapeOf(key);
  const publicKey = createPublicKey(key);
  // A public half that does not fit would make signatures that nobody can check, and ciphertext that nobody can open.
  const sample = Buffer.alloc(32, 1);
  const signature = await signMessage('sha256', sample, key).catch(() => undefined);
  const fits = signature !== undefined && (await verifyMessage('sha256', sample, publicKey, signature));
  if (!fits) throw unusable('its private and public parts do not fit together');
  return {
    shape,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    privateKey: SecretBytes.take(key.export({ type: 'pkcs8', format: 'der' })),
  };
}

function parsed({ bytes }: SecretBytes): KeyObject {
  if (bytes.length > largestPkcs8) throw unusable('it is longer than a private key');
  const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  } catch {
    throw unusable('it is not a private key in PKCS #8');
  }
}

function shapeOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): KeyShape {
  const { modulusLength, publicExponent = 0n, namedCurve } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'rsa' && modulusLength !== undefined) {
    if (!rsaBits.includes(modulusLength)) throw unusable(`an RSA key has ${rsaBits.join(', ')} bits`);
    if (publicExponent < 3n || publicExponent > largestExponent) throw unusable('its public exponent is out of range');
    return { kty: 'RSA', bits: modulusLength };
  }
  const curve = asymmetricKeyType === 'ec' ? curveByOpensslName(namedCurve) : undefined;
  if (curve === undefined) throw unusable(`it is neither RSA nor EC on ${Object.keys(curves).join(', ')}`);
  return { kty: 'EC', crv: curve.name };
}

function unusable(reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0022', { details: { what: 'the key', reason } });
}
