import { generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { encodeBase64, SecretBytes } from '@kannuki/core';
import { bitString, contextSpecific, objectIdentifier, sequence, set, smallInteger, utf8String } from './der.ts';

const generate = promisify(generateKeyPair);

export interface KeyAndRequest {
  /** PEM, PKCS#8, as bytes. The caller disposes it; it never leaves the VM. */
  readonly privateKey: SecretBytes;
  /** PEM, PKCS#10. */
  readonly certificateSigningRequest: string;
}

/** A fresh ECDSA P-256 key and the request (RFC 2986) that proves to the authority that we hold it. */
export async function makeKeyAndRequest(): Promise<KeyAndRequest> {
  const { publicKey, privateKey } = await generate('ec', { namedCurve: 'P-256' });
  const request = certificateRequest(publicKey, privateKey);
  const certificateSigningRequest = `${pemLines('CERTIFICATE REQUEST', request.toString('base64'))}\n`;
  return { privateKey: privateKeyPem(privateKey), certificateSigningRequest };
}

/**
 * The subject is only a word for people who read the request: the authority names the subject itself.
 * @returns DER
 */
function certificateRequest(publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const commonName = sequence(objectIdentifier('2.5.4.3'), utf8String('kannuki agent'));
  const information = sequence(
    smallInteger(0),
    sequence(set(commonName)),
    publicKey.export({ type: 'spki', format: 'der' }),
    contextSpecific(0),
  );
  const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
  return sequence(information, ecdsaWithSha256, bitString(sign('sha256', information, privateKey)));
}

/** PEM of the key made from bytes to bytes: Node's own PEM export is a string, and strings cannot be wiped. */
function privateKeyPem(privateKey: KeyObject): SecretBytes {
  using der = SecretBytes.take(privateKey.export({ type: 'pkcs8', format: 'der' }));
  using base64 = encodeBase64(der);
  const newLine = Buffer.from('\n');
  const lines: Uint8Array[] = [];
  for (let start = 0; start < base64.length; start += 64) lines.push(base64.bytes.subarray(start, start + 64), newLine);
  const pem = [Buffer.from('-----BEGIN PRIVATE KEY-----\n'), ...lines, Buffer.from('-----END PRIVATE KEY-----\n')];
  return SecretBytes.take(Buffer.concat(pem));
}

function pemLines(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n');
}
