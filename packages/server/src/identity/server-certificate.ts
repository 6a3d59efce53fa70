import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makeDirectoryDurably, writeFileDurably } from '@kannuki/core';
import { type Authority, readPrivateFile, serverCertificateDays, splitPem } from './authority.ts';
import { exportPrivateKey, generateKeys } from './x509.ts';

export interface ServerCertificate {
  /** PEM of the certificate and its authority. */
  readonly chain: string;
  /** PEM. */
  readonly key: string;
  readonly notAfter: Date;
}

/** Under a third of its life left: time for a new one. */
const renewBeforeMilliseconds = (serverCertificateDays / 3) * 24 * 3600 * 1000;

/** Names under which VMs and people of this machine reach the server; 10.0.2.2 is this machine as seen from QEMU's user network. */
export function defaultServerNames(): readonly string[] {
  return ['127.0.0.1', '::1', 'localhost', '10.0.2.2', hostname().toLowerCase()];
}

/**
 * The server's certificate from its folder, or a new one where it is missing, unreadable, near its end, by another
 * authority, or lacks a name. Key and certificate are one file, so that no power cut can part them.
 */
export async function openServerCertificate(
  folder: string,
  authority: Authority,
  names: readonly string[],
  now: Date = new Date(),
  file = 'server.pem',
): Promise<ServerCertificate> {
  await makeDirectoryDurably(folder, 0o700);
  const path = join(folder, file);
  const present = parse(await readPrivateFile(path));
  if (present !== undefined && isGoodFor(present, authority, names, now)) return present;

  const keys = await generateKeys();
  const { certificate, notAfter } = await authority.issueServer(keys.publicKey, names);
  const key = await exportPrivateKey(keys.privateKey);
  const chain = certificate + authority.certificate;
  await writeFileDurably(path, key + chain, 0o600);
  return { chain, key, notAfter };
}

function parse(text: string | undefined): ServerCertificate | undefined {
  if (text === undefined) return undefined;
  const { key, certificates: chain } = splitPem(text);
  try {
    return { key, chain, notAfter: new X509Certificate(chain).validToDate };
  } catch {
    return undefined;
  }
}

function isGoodFor(found: ServerCertificate, authority: Authority, names: readonly string[], now: Date): boolean {
  if (found.notAfter.getTime() - now.getTime() < renewBeforeMilliseconds) return false;
  const certificate = new X509Certificate(found.chain);
  const issuer = new X509Certificate(authority.certificate);
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
  const covers = (name: string): boolean =>
    /^[0-9.]+$/.test(name) || name.includes(':')
      ? certificate.checkIP(name) !== undefined
      : certificate.checkHost(name.replace('*', 'any')) !== undefined;
  return names.every(covers);
}
