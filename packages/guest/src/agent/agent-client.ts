import type { X509Certificate } from 'node:crypto';
import { type AgentStatus, type Goal, KannukiError, maximumGoalWaitSeconds, type SecretBytes } from '@kannuki/core';
import { RemoteVault, type VaultPort } from '@kannuki/keyvault';
import type { AgentStore, Identity } from './agent-store.ts';
import { makeKeyAndRequest } from './certificate-request.ts';
import { type Answer, type Call, Channel, callName } from './channel.ts';
import { isRecord, parseGoal } from './goal-shape.ts';
import { refusal } from './refusal.ts';

/** Beyond the server's own wait: the way there and back. */
const goalSlackSeconds = 15;

/** What an agent asks of its server. Every call is bounded, and every failure is a KannukiError. */
export class AgentClient {
  readonly vmId: string;
  readonly serverUrl: string;
  readonly #store: AgentStore;
  #identity: Identity;
  #channel: Channel;

  private constructor(store: AgentStore, serverUrl: string, vmId: string, identity: Identity) {
    this.vmId = vmId;
    this.serverUrl = serverUrl;
    this.#store = store;
    this.#identity = identity;
    this.#channel = channelOf(serverUrl, identity);
  }

  /** @throws KannukiError KNK-AGT-0001 where this VM has not joined, 0007 where its files are damaged */
  static async open(store: AgentStore): Promise<AgentClient> {
    const { membership, identity } = await store.requireMember();
    return new AgentClient(store, membership.serverUrl, membership.vmId, identity);
  }

  get certificate(): X509Certificate {
    return this.#identity.certificate;
  }

  /** @returns undefined when nothing newer than `after` came in time; ask again */
  async waitForGoal(
    after: number,
    waitSeconds = maximumGoalWaitSeconds,
    signal?: AbortSignal,
  ): Promise<Goal | undefined> {
    const call: Call = {
      method: 'GET',
      path: `/agent/v1/goal?after=${after}&wait=${waitSeconds}`,
      totalSeconds: waitSeconds + goalSlackSeconds,
      ...(signal === undefined ? {} : { signal }),
    };
    const answer = await this.#call(call, [200, 204]);
    if (answer.status === 204) return undefined;
    const goal = parseGoal(answer.body.toString('utf8'));
    if (goal === undefined) throw this.#nonsense(call, 'it is not a goal');
    return goal;
  }

  async putStatus(status: AgentStatus, signal?: AbortSignal): Promise<void> {
    const body = Buffer.from(JSON.stringify(status));
    await this.#call(
      { method: 'PUT', path: '/agent/v1/status', body, ...(signal === undefined ? {} : { signal }) },
      [204],
    );
  }

  /** A vault of the server, as this VM may use it. The port always shows the newest certificate. */
  vault(vaultName: string, vaultUri?: string): VaultPort {
    const open = (): VaultPort =>
      new RemoteVault({
        connection: {
          serverUrl: this.serverUrl,
          authority: this.#identity.authority,
          certificate: this.#identity.pem.bytes,
          privateKey: this.#identity.pem.bytes,
        },
        vaultName,
        ...(vaultUri === undefined ? {} : { vaultUri }),
      });
    return {
      vaultUri: open().vaultUri,
      keyInfo: (keyId) => open().keyInfo(keyId),
      wrapKey: (keyId, algorithm, value) => open().wrapKey(keyId, algorithm, value),
      unwrapKey: (keyId, algorithm, wrapped) => open().unwrapKey(keyId, algorithm, wrapped),
      setSecret: (name, value, attributes) => open().setSecret(name, value, attributes),
      getSecret: (secretId) => open().getSecret(secretId),
      disableSecret: (name) => open().disableSecret(name),
    };
  }

  /**
   * Gets a new key and certificate when two thirds of the old one's life are over. Old and new are never both lost: the new
   * pair is on disk before it is used, and the server takes the old one until it has seen the new one.
   * @returns whether it did
   */
  async renewIfDue(now: Date = new Date()): Promise<boolean> {
    const { validFromDate, validToDate } = this.#identity.certificate;
    const life = validToDate.getTime() - validFromDate.getTime();
    if (validToDate.getTime() - now.getTime() > life / 3) return false;
    const made = await makeKeyAndRequest();
    using privateKey = made.privateKey;
    const { certificateSigningRequest } = made;
    const call: Call = {
      method: 'POST',
      path: '/agent/v1/renew',
      body: Buffer.from(JSON.stringify({ certificateSigningRequest })),
    };
    const answer = await this.#call(call, [200]);
    await this.#store.saveIdentity({
      privateKey,
      certificate: this.#certificateIn(answer, call),
      authority: this.#identity.authority,
    });
    await this.#reload();
    return true;
  }

  close(): void {
    this.#channel.close();
    this.#identity.pem[Symbol.dispose]();
  }

  async #reload(): Promise<void> {
    const { identity } = await this.#store.requireMember();
    const channel = this.#channel;
    const pem: SecretBytes = this.#identity.pem;
    this.#identity = identity;
    this.#channel = channelOf(this.serverUrl, identity);
    channel.close();
    pem[Symbol.dispose]();
  }

  #certificateIn(answer: Answer, call: Call): string {
    let reply: unknown;
    try {
      reply = JSON.parse(answer.body.toString('utf8'));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (!isRecord(reply) || typeof reply.certificate !== 'string' || reply.vmId !== this.vmId) {
      throw this.#nonsense(call, 'there is no certificate for this VM in it');
    }
    return reply.certificate;
  }

  async #call(call: Call, wanted: readonly number[]): Promise<Answer> {
    const answer = await this.#channel.call(call);
    if (!wanted.includes(answer.status)) throw refusal(this.serverUrl, callName(call), answer);
    return answer;
  }

  #nonsense(call: Call, reason: string): KannukiError {
    return new KannukiError('KNK-AGT-0006', { details: { server: this.serverUrl, call: callName(call), reason } });
  }
}

function channelOf(serverUrl: string, identity: Identity): Channel {
  return new Channel({ serverUrl, authority: identity.authority, identity: identity.pem.bytes });
}
