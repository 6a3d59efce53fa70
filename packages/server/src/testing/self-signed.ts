import { webcrypto } from 'node:crypto';
import { exportPrivateKey, x509 } from '../identity/x509.ts';

const algorithms = {
  RSA: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  small: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) },
  EC: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  P384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
} as const;

/** A certificate that nobody else has signed, as people make them for client credentials. */
export async function selfSigned(
  kind: keyof typeof algorithms,
  notAfter: Date = new Date(Date.now() + 3600_000),
): Promise<{ readonly certificate: string; readonly key: string }> {
  const algorithm = algorithms[kind];
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=client',
    notBefore: new Date(Date.now() - 24 * 3600_000),
    notAfter,
    keys,
    signingAlgorithm: algorithm,
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: await exportPrivateKey(keys.privateKey) };
}
