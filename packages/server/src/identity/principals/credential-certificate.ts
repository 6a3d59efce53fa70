import { X509Certificate } from 'node:crypto';
import { KannukiError } from '@kannuki/core';

export interface CredentialCertificate {
  readonly sha1: string;
  readonly sha256: string;
  /** PEM, of the certificate alone. */
  readonly certificate: string;
}

/**
 * Reads a certificate that a principal is to prove itself with. Who signed it does not matter: it is trusted because it
 * was registered, as Entra does.
 * @throws KannukiError KNK-IDT-0003
 */
export function readCredentialCertificate(pem: string, now: number): CredentialCertificate {
  const blocks = pem.match(/-----BEGIN [A-Z ]+-----/g) ?? [];
  if (blocks.some((line) => line.includes('PRIVATE KEY'))) throw unusable('it comes with its private key, keep that');
  if (blocks.length !== 1) throw unusable('it is not one certificate in PEM');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw unusable('it cannot be read');
  }
  if (certificate.validToDate.getTime() <= now) throw unusable('it is over');
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  const isGoodRsa = asymmetricKeyType === 'rsa' && bits >= 2048 && bits <= 8192;
  const isGoodEc = asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (!isGoodRsa && !isGoodEc) throw unusable('its key is of another kind or size');
  const digits = (text: string): string => text.replaceAll(':', '').toLowerCase();
  return {
    sha1: digits(certificate.fingerprint),
    sha256: digits(certificate.fingerprint256),
    certificate: certificate.toString(),
  };
}

function unusable(reason: string): KannukiError {
  return new KannukiError('KNK-IDT-0003', { details: { reason } });
}
