import {
  constants,
  createHash,
  createPrivateKey,
  type KeyObject,
  randomUUID,
  sign,
  X509Certificate,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';

/** Shorter than the server allows (10 minutes): it is made anew for each token. */
const lifeSeconds = 300;
const fileLimitBytes = 64 * 1024;

/**
 * Proof that the caller holds the key of a certificate (RFC 7523, as Entra takes it): a JWT for the token endpoint.
 * @param file PEM with one private key and its certificate
 * @throws KannukiError KNK-AZC-0011 for a file that is not that
 */
export async function clientAssertion(file: string, clientId: string, audience: string): Promise<string> {
  const { key, certificate } = await readIdentity(file);
  const algorithm = key.asymmetricKeyType === 'ec' ? 'ES256' : 'PS256';
  const thumbprint = (hash: string): string => createHash(hash).update(certificate.raw).digest('base64url');
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: algorithm, typ: 'JWT', x5t: thumbprint('sha1'), 'x5t#S256': thumbprint('sha256') };
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: randomUUID(),
    iat: now,
    nbf: now,
    exp: now + lifeSeconds,
  };
  const text = `${encoded(header)}.${encoded(claims)}`;
  const signature =
    algorithm === 'ES256'
      ? sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
      : sign('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
  return `${text}.${signature.toString('base64url')}`;
}

/** Says early whether a file can be used for `--certificate`. */
export async function readIdentity(
  file: string,
): Promise<{ readonly key: KeyObject; readonly certificate: X509Certificate }> {
  const refuse = (reason: string, cause?: unknown): KannukiError =>
    new KannukiError('KNK-AZC-0011', { details: { file, reason }, cause });
  let pem: Buffer;
  try {
    pem = await readFile(file);
  } catch (error) {
    throw refuse((error as NodeJS.ErrnoException).code ?? 'it cannot be read', error);
  }
  try {
    if (pem.length > fileLimitBytes) throw refuse('it is too long');
    const key = createPrivateKey(pem);
    const certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(key)) throw refuse('key and certificate do not belong together');
    const { asymmetricKeyType, asymmetricKeyDetails } = key;
    const usable =
      asymmetricKeyType === 'rsa' || (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1');
    if (!usable) throw refuse('the key must be RSA or EC P-256');
    return { key, certificate };
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    throw refuse('it must hold a PEM private key and its certificate');
  } finally {
    pem.fill(0);
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
