import { createPublicKey, type webcrypto } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import { keyAlgorithm, x509 } from './x509.ts';

const limitBytes = 4096;
const pemShape =
  /^-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n\r]{100,4000}-----END CERTIFICATE REQUEST-----\s*$/;

/**
 * Takes the public key out of a request (PKCS#10, RFC 2986) after its signature was checked: whoever sent it holds the
 * private key. Subject, attributes and wished-for extensions are not looked at.
 * @throws KannukiError KNK-SRV-0008
 */
export async function readCertificateRequest(pem: string): Promise<webcrypto.CryptoKey> {
  if (pem.length > limitBytes || !pemShape.test(pem)) throw refuse('it is not PEM of a certificate request');
  const request = parse(pem);
  const { asymmetricKeyType, asymmetricKeyDetails } = describeKey(request);
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw refuse('its key is not ECDSA on P-256');
  }
  if (!(await verifies(request))) throw refuse('its signature is not by its key');
  return request.publicKey.export(keyAlgorithm, ['verify']) as Promise<webcrypto.CryptoKey>;
}

function parse(pem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(pem, { berOptions: { maxDepth: 16, maxNodes: 200 } });
  } catch {
    throw refuse('it cannot be read');
  }
}

function describeKey(request: x509.Pkcs10CertificateRequest): ReturnType<typeof createPublicKey> {
  try {
    return createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  } catch {
    throw refuse('its key cannot be read');
  }
}

async function verifies(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify();
  } catch {
    return false;
  }
}

function refuse(reason: string): KannukiError {
  return new KannukiError('KNK-SRV-0008', { details: { reason } });
}
