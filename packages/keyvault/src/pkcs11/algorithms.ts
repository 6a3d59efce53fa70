import type { RsaOAEP } from 'pkcs11js';
import type { EncryptionAlgorithm, SignatureAlgorithm } from '../service/key-module.ts';
import type { Binding, Mechanism } from './cryptoki.ts';

export const encryptionAlgorithms = [
  'RSA-OAEP',
  'RSA-OAEP-256',
  'RSA1_5',
] as const satisfies readonly EncryptionAlgorithm[];
export const rsaSignatures = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'RSNULL',
] as const satisfies readonly SignatureAlgorithm[];

/** CKZ_DATA_SPECIFIED: the label of OAEP is given, here none. */
const dataSpecified = 1;

/** DigestInfo before the digest (RFC 8017, 9.2, note 1). */
const digestInfo: Readonly<Record<string, Buffer>> = {
  RS256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  RS384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  RS512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

const digestBytes = { '256': 32, '384': 48, '512': 64 } as const;

/** Bytes of the digest that an algorithm signs; undefined for RSNULL, which takes any. */
export function digestBytesOf(algorithm: SignatureAlgorithm): number | undefined {
  if (algorithm === 'RSNULL') return undefined;
  return digestBytes[algorithm.slice(2, 5) as keyof typeof digestBytes];
}

export function decryptMechanism(binding: Binding, algorithm: EncryptionAlgorithm): Mechanism {
  if (algorithm === 'RSA1_5') return { mechanism: binding.CKM_RSA_PKCS };
  const wide = algorithm === 'RSA-OAEP-256';
  const parameter: RsaOAEP = {
    type: binding.CK_PARAMS_RSA_OAEP,
    hashAlg: wide ? binding.CKM_SHA256 : binding.CKM_SHA_1,
    mgf: wide ? binding.CKG_MGF1_SHA256 : binding.CKG_MGF1_SHA1,
    source: dataSpecified,
  };
  return { mechanism: binding.CKM_RSA_PKCS_OAEP, parameter };
}

export interface Signing {
  readonly mechanism: Mechanism;
  /** What the mechanism is given: the digest, for RS* with its DigestInfo before it. */
  readonly input: Buffer;
}

export function signing(binding: Binding, algorithm: SignatureAlgorithm, digest: Uint8Array): Signing {
  if (algorithm.startsWith('ES')) return { mechanism: { mechanism: binding.CKM_ECDSA }, input: Buffer.from(digest) };
  if (!algorithm.startsWith('PS')) {
    const input = Buffer.concat([digestInfo[algorithm] ?? Buffer.alloc(0), digest]);
    return { mechanism: { mechanism: binding.CKM_RSA_PKCS }, input };
  }
  const [hashAlg, mgf] = {
    PS256: [binding.CKM_SHA256, binding.CKG_MGF1_SHA256] as const,
    PS384: [binding.CKM_SHA384, binding.CKG_MGF1_SHA384] as const,
    PS512: [binding.CKM_SHA512, binding.CKG_MGF1_SHA512] as const,
  }[algorithm as 'PS256' | 'PS384' | 'PS512'];
  const parameter = { type: binding.CK_PARAMS_RSA_PSS, hashAlg, mgf, saltLen: digest.length };
  return { mechanism: { mechanism: binding.CKM_RSA_PKCS_PSS, parameter }, input: Buffer.from(digest) };
}
