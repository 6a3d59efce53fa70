import { type JoinReply, KannukiError } from '@kannuki/core';
import type { CertificateStore } from '../storage/certificate-store.ts';
import type { ServerDatabase } from '../storage/database.ts';
import type { Authority } from './authority.ts';
import { readCertificateRequest } from './certificate-request.ts';
import type { FailedJoins } from './failed-joins.ts';
import type { JoinTokens } from './join-tokens.ts';

export interface EnrollmentOptions {
  readonly database: ServerDatabase;
  readonly authority: Authority;
  readonly tokens: JoinTokens;
  readonly certificates: CertificateStore;
  readonly failedJoins: FailedJoins;
  readonly now: () => number;
}

export interface JoinAttempt {
  readonly token: string;
  /** PEM, PKCS#10. */
  readonly certificateSigningRequest: string;
  /** Where it comes from, for the limit on failures. */
  readonly address: string;
}

/** How VMs become members and stay it. Knows no HTTP. */
export class Enrollment {
  readonly #options: EnrollmentOptions;

  constructor(options: EnrollmentOptions) {
    this.#options = options;
  }

  /** PEM: whom agents trust. */
  get authority(): string {
    return this.#options.authority.certificate;
  }

  /**
   * A certificate for a one-time token. Of two calls with one token exactly one gets a certificate that counts: taking
   * the token and recording the certificate are one transaction.
   * @throws KannukiError KNK-SRV-0005 (the same words for unknown, used and old), 0006, 0008
   */
  async join({ token, certificateSigningRequest, address }: JoinAttempt): Promise<JoinReply> {
    const { tokens, now } = this.#options;
    // Signatures cost time, so a bad token is turned away before any is checked.
    const vmId = tokens.vmOf(token, now());
    if (vmId === undefined) throw this.#refuse(address);
    return this.#issue(vmId, certificateSigningRequest, () => {
      if (tokens.use(token, now()) !== vmId) throw this.#refuse(address);
    });
  }

  /** A new certificate for a member; the one it has now works until the new one was shown. @throws KannukiError KNK-SRV-0008 */
  renew(vmId: string, certificateSigningRequest: string): Promise<JoinReply> {
    return this.#issue(vmId, certificateSigningRequest, () => undefined);
  }

  /**
   * Which VM a certificate admits, after TLS has found that our authority signed it.
   * @param serial hex
   * @returns undefined for one that is revoked, over, or not on record
   */
  identify(serial: string): string | undefined {
    const { certificates, database, now } = this.#options;
    const found = certificates.find(serial.toLowerCase().replace(/^0+/, ''));
    if (found === undefined || found.revokedAt !== null || found.notAfter <= now()) return undefined;
    if (found.firstUsedAt === null) {
      database.transaction(() => {
        certificates.markUsed(found.serial, now());
        certificates.revokeOthers(found.vmId, found.serial, now());
      });
    }
    return found.vmId;
  }

  async #issue(vmId: string, request: string, permit: () => void): Promise<JoinReply> {
    const { authority, certificates, database, now } = this.#options;
    const publicKey = await readCertificateRequest(request);
    const { certificate, serial, notAfter } = await authority.issueAgent(publicKey, vmId);
    database.transaction(() => {
      permit();
      certificates.add({ serial, vmId, issuedAt: now(), notAfter: notAfter.getTime() });
    });
    return { vmId, certificate, authority: authority.certificate };
  }

  #refuse(address: string): KannukiError {
    const seconds = this.#options.failedJoins.record(address, this.#options.now());
    if (seconds === undefined) return new KannukiError('KNK-SRV-0005');
    return new KannukiError('KNK-SRV-0006', { details: { seconds } });
  }
}
