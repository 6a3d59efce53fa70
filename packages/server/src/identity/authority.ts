import { createPrivateKey, type webcrypto, X509Certificate } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { authorityFingerprint, KannukiError, makeDirectoryDurably, writeFileDurably } from '@kannuki/core';
import {
  endLine,
  exportPrivateKey,
  generateKeys,
  importPrivateKey,
  keyAlgorithm,
  newSerialNumber,
  x509,
} from './x509.ts';

export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Hex, lower case, without leading zeros or colons. */
  readonly serial: string;
  readonly notAfter: Date;
}

const day = 24 * 3600 * 1000;
const authorityLifeDays = 3650;
/** Clocks of freshly booted VMs may be behind; a certificate must not be "not yet valid" for them. */
const backdatedMilliseconds = 3600 * 1000;

/** Life of an agent's certificate; it renews when a third of it is left. */
export const agentCertificateDays = 30;
export const serverCertificateDays = 90;

const certificateFile = 'authority.pem';
const keyFile = 'authority.key';

/**
 * The server's own certificate authority: signs the server's certificate and those of agents, nothing else. Its private
 * key is a file of mode 0600 in a folder of mode 0700; whoever can read it can pose as any VM or as the server.
 */
export class Authority {
  /** PEM. */
  readonly certificate: string;
  /** SHA-256 over the certificate, base64url: what join tokens name. */
  readonly fingerprint: string;
  readonly certificateFile: string;
  readonly #key: webcrypto.CryptoKey;
  readonly #parsed: x509.X509Certificate;

  private constructor(folder: string, certificate: string, key: webcrypto.CryptoKey) {
    this.certificateFile = join(folder, certificateFile);
    this.certificate = certificate;
    this.#key = key;
    this.#parsed = new x509.X509Certificate(certificate);
    this.fingerprint = authorityFingerprint(new Uint8Array(this.#parsed.rawData));
  }

  /**
   * Opens the authority of a folder, or makes it where neither of its files is there. Key and certificate are one
   * private file, so that no power cut can part them; the public file beside it is a copy for people and clients.
   * @throws KannukiError KNK-SRV-0021 for a lost or readable key, or one that does not belong to its certificate
   */
  static async open(folder: string): Promise<Authority> {
    await makeDirectoryDurably(folder, 0o700);
    const secret = await readPrivateFile(join(folder, keyFile));
    if (secret !== undefined) return Authority.#load(folder, secret);
    if (await isThere(join(folder, certificateFile))) throw unusable(join(folder, keyFile), 'it is missing');
    return Authority.#create(folder);
  }

  static async #create(folder: string): Promise<Authority> {
    const keys = await generateKeys();
    const now = Date.now();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerialNumber(),
      name: [{ CN: ['Kannuki authority'] }],
      notBefore: new Date(now - backdatedMilliseconds),
      notAfter: new Date(now + authorityLifeDays * day),
      keys,
      signingAlgorithm: keyAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const pem = endLine(certificate.toString('pem'));
    await writeFileDurably(join(folder, keyFile), (await exportPrivateKey(keys.privateKey)) + pem, 0o600);
    await writeFileDurably(join(folder, certificateFile), pem, 0o644);
    return new Authority(folder, pem, keys.privateKey);
  }

  static async #load(folder: string, secret: string): Promise<Authority> {
    const file = join(folder, keyFile);
    const { key, certificates } = splitPem(secret);
    try {
      if (!new X509Certificate(certificates).checkPrivateKey(createPrivateKey(key))) {
        throw unusable(file, 'key and certificate do not belong together');
      }
      if ((await readFile(join(folder, certificateFile), 'utf8').catch(() => '')) !== certificates) {
        await writeFileDurably(join(folder, certificateFile), certificates, 0o644);
      }
      return new Authority(folder, certificates, await importPrivateKey(key));
    } catch (error) {
      if (error instanceof KannukiError) throw error;
      throw unusable(file, 'key or certificate cannot be read');
    }
  }

  /** Certificate for the server under its names and addresses. */
  async issueServer(publicKey: webcrypto.CryptoKey, names: readonly string[]): Promise<IssuedCertificate> {
    const alternatives = names.map((name) => ({
      type: isAddress(name) ? ('ip' as const) : ('dns' as const),
      value: name,
    }));
    return this.#issue(publicKey, {
      commonName: 'kannuki server',
      days: serverCertificateDays,
      usage: x509.ExtendedKeyUsage.serverAuth,
      extensions: [new x509.SubjectAlternativeNameExtension(alternatives)],
    });
  }

  /**
   * Certificate for an agent. The request gives the public key and nothing else: the subject is the VM that the server
   * knows the caller to be.
   */
  async issueAgent(publicKey: webcrypto.CryptoKey, vmId: string): Promise<IssuedCertificate> {
    return this.#issue(publicKey, {
      commonName: vmId,
      days: agentCertificateDays,
      usage: x509.ExtendedKeyUsage.clientAuth,
      extensions: [],
    });
  }

  async #issue(
    publicKey: webcrypto.CryptoKey,
    options: {
      readonly commonName: string;
      readonly days: number;
      readonly usage: x509.ExtendedKeyUsage;
      readonly extensions: readonly x509.Extension[];
    },
  ): Promise<IssuedCertificate> {
    const now = Date.now();
    const notAfter = new Date(now + options.days * day);
    const serialNumber = newSerialNumber();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber,
      issuer: this.#parsed.subjectName,
      subject: [{ CN: [options.commonName] }],
      notBefore: new Date(now - backdatedMilliseconds),
      notAfter,
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: keyAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([options.usage], false),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(this.#parsed.publicKey),
        ...options.extensions,
      ],
    });
    return { certificate: endLine(certificate.toString('pem')), serial: serialNumber, notAfter };
  }
}

function isAddress(name: string): boolean {
  return /^[0-9.]+$/.test(name) || name.includes(':');
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** A private key and what follows it, as our private files hold them. */
export function splitPem(text: string): { readonly key: string; readonly certificates: string } {
  const end = '-----END PRIVATE KEY-----\n';
  const length = text.includes(end) ? text.indexOf(end) + end.length : text.length;
  return { key: text.slice(0, length), certificates: text.slice(length) };
}

/** Reads a file that only its owner may read, and refuses it otherwise. */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, `it cannot be opened (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    const { mode, uid, size } = await file.stat();
    if ((mode & 0o170000) !== 0o100000) throw unusable(path, 'it is not a regular file');
    if ((mode & 0o077) !== 0) throw unusable(path, 'others than its owner may read it; its mode must be 0600');
    if (uid !== process.getuid?.()) throw unusable(path, 'it belongs to another user');
    if (size > 16384) throw unusable(path, 'it is too long');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function unusable(file: string, reason: string): KannukiError {
  return new KannukiError('KNK-SRV-0021', { details: { file, reason } });
}
