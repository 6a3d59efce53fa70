import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

// The only place that loads the library: it needs reflect-metadata before it and a crypto provider after it.
x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);

export { x509 };

/** The one kind of key in this authority: ECDSA on P-256, signed with SHA-256. */
export const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

export async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const lines = pkcs8.toString('base64').match(/.{1,64}/g) ?? [];
  pkcs8.fill(0);
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

export function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', pkcs8, keyAlgorithm, false, ['sign']);
}

/** Positive and of 127 random bits (CA/Browser Forum asks for at least 64), hex. */
export function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

export function endLine(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}
