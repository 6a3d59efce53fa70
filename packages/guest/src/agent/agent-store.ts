import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Goal, KannukiError, makeDirectoryDurably, SecretBytes, writeFileDurably } from '@kannuki/core';
import { parseGoal } from './goal-shape.ts';

export const defaultAgentFolder = '/var/lib/kannuki/agent';

/** Which server this VM belongs to. */
export interface Membership {
  readonly serverUrl: string;
  readonly vmId: string;
}

/** What the agent shows when it connects. */
export interface Identity {
  /** PEM of private key, certificate and authority in one file, as bytes; the caller disposes it. */
  readonly pem: SecretBytes;
  /** PEM of the authority. */
  readonly authority: string;
  readonly certificate: X509Certificate;
}

const privateKeyEnd = '-----END PRIVATE KEY-----\n';
const certificateBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----\n?/g;

/**
 * The agent's files, in a folder of mode 0700. Key and certificate are one file, so that a power cut during a renewal
 * leaves the old pair or the new one and never half of each.
 */
export class AgentStore {
  readonly folder: string;

  constructor(folder: string = defaultAgentFolder) {
    this.folder = folder;
  }

  /** Makes this VM a member. The file with the key comes last: without it nothing counts as joined. */
  async join(membership: Membership, identity: NewIdentity): Promise<void> {
    await makeDirectoryDurably(this.folder, 0o700);
    await this.saveMembership(membership);
    await this.saveIdentity(identity);
  }

  async saveMembership(membership: Membership): Promise<void> {
    await writeFileDurably(
      this.#path('server.json'),
      `${JSON.stringify({ version: 1, ...membership }, null, 2)}\n`,
      0o600,
    );
  }

  async saveIdentity({ privateKey, certificate, authority }: NewIdentity): Promise<void> {
    using pem = SecretBytes.take(
      Buffer.concat([privateKey.bytes, Buffer.from(endLine(certificate)), Buffer.from(endLine(authority))]),
    );
    await writeFileDurably(this.#path('identity.pem'), pem.bytes, 0o600);
  }

  /** @returns undefined where this VM has not joined */
  async membership(): Promise<Membership | undefined> {
    const text = await this.#read('server.json');
    if (text === undefined) return undefined;
    try {
      const { version, serverUrl, vmId } = JSON.parse(text.toString('utf8')) as Record<string, unknown>;
      if (version === 1 && typeof serverUrl === 'string' && typeof vmId === 'string') return { serverUrl, vmId };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw this.#damaged('server.json', 'it is not of this version');
  }

  /** @returns undefined where this VM has not joined */
  async identity(): Promise<Identity | undefined> {
    const bytes = await this.#read('identity.pem');
    if (bytes === undefined) return undefined;
    const pem = SecretBytes.take(bytes);
    // The certificates are no secret; the key before them stays bytes.
    const certificates = bytes.subarray(bytes.indexOf(privateKeyEnd) + privateKeyEnd.length).toString('latin1');
    const [certificate, authority] = certificates.match(certificateBlock) ?? [];
    try {
      if (certificate !== undefined && authority !== undefined) {
        return { pem, authority, certificate: new X509Certificate(certificate) };
      }
    } catch {
      // Falls through: a certificate that cannot be read is as good as none.
    }
    pem[Symbol.dispose]();
    throw this.#damaged('identity.pem', 'it does not hold a key and two certificates');
  }

  /** @throws KannukiError KNK-AGT-0001 where this VM has not joined */
  async requireMember(): Promise<{ readonly membership: Membership; readonly identity: Identity }> {
    const membership = await this.membership();
    const identity = await this.identity();
    if (membership === undefined || identity === undefined) {
      throw new KannukiError('KNK-AGT-0001', { details: { path: this.#path('identity.pem') } });
    }
    return { membership, identity };
  }

  /** The last goal that was taken up, so that a start without server knows what to go on with. */
  async goal(): Promise<Goal | undefined> {
    const text = await this.#read('goal.json');
    if (text === undefined) return undefined;
    return parseGoal(text.toString('utf8')) ?? undefined;
  }

  async saveGoal(goal: Goal): Promise<void> {
    await writeFileDurably(this.#path('goal.json'), `${JSON.stringify(goal, null, 2)}\n`, 0o600);
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  async #read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#path(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #damaged(name: string, reason: string): KannukiError {
    return new KannukiError('KNK-AGT-0007', { details: { path: this.#path(name), reason } });
  }
}

export interface NewIdentity {
  /** PEM. */
  readonly privateKey: SecretBytes;
  readonly certificate: string;
  readonly authority: string;
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
