import { createHmac, randomBytes } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import type { Principal, PrincipalStore } from '../../storage/principal-store.ts';
import { hintOf, longestSecretBytes } from '../principals/client-secret.ts';
import type { SecretHasher } from '../principals/secret-hash.ts';
import type { Proof } from '../tokens/token-issuer.ts';
import type { AttemptLimits } from './attempt-limits.ts';
import type { ClientAssertions } from './client-assertion.ts';
import { lockedOut, type Refusal, refusals } from './refusals.ts';

export interface ClientAuthenticationOptions {
  readonly store: PrincipalStore;
  readonly hasher: SecretHasher;
  readonly limits: AttemptLimits;
  readonly assertions: ClientAssertions;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Authenticated {
  readonly principal: Principal;
  readonly proof: Proof;
}

const rememberedFor = 10 * 60_000;
const maximumRemembered = 10_000;

interface Remembered {
  readonly objectId: string;
  readonly keyId: string;
  readonly until: number;
}

/** Who a client is, by secret or by certificate. */
export class ClientAuthentication {
  readonly #options: ClientAuthenticationOptions;
  /** Under an HMAC of client and secret, whose key dies with this process: secrets that were right a moment ago. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #underWay = new Map<string, Promise<Authenticated | Refusal>>();
  readonly #processKey = randomBytes(32);

  constructor(options: ClientAuthenticationOptions) {
    this.#options = options;
  }

  /** @param secret stays the caller's */
  async bySecret(clientId: string, secret: SecretBytes, address: string): Promise<Authenticated | Refusal> {
    const client = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(clientId) ? clientId.toLowerCase() : 'none';
    const mark = createHmac('sha256', this.#processKey).update(`${client} `).update(secret.bytes).digest('base64');
    const remembered = this.#recall(mark);
    if (remembered !== undefined) return remembered;
    // Many processes that start with one secret cost one run of scrypt.
    const underWay = this.#underWay.get(mark);
    if (underWay !== undefined) return underWay;
    const check = this.#check(client, secret, address, mark).finally(() => this.#underWay.delete(mark));
    this.#underWay.set(mark, check);
    return check;
  }

  async byAssertion(
    assertion: string,
    clientId: string | undefined,
    address: string,
  ): Promise<Authenticated | Refusal> {
    // Not counted: it costs a signature check and cannot be guessed.
    const principal = await this.#options.assertions.verify(assertion, clientId, address);
    return principal === undefined ? refusals.badAssertion : { principal, proof: '2' };
  }

  async #check(client: string, secret: SecretBytes, address: string, mark: string): Promise<Authenticated | Refusal> {
    const { store, hasher, limits, now } = this.#options;
    const principal = store.byAppId(client);
    const hint = secret.length <= longestSecretBytes ? hintOf(secret.bytes) : undefined;
    // Asked for a stranger too: as much is done for him as for a client with a wrong secret.
    const stored = hint === undefined ? undefined : store.secretByHint(principal?.objectId ?? 'none', hint);
    const attempt = limits.begin(client, address, now(), stored === undefined ? 'stranger' : 'hinted');
    if (typeof attempt === 'number') return lockedOut(attempt);
    let isEnded = false;
    try {
      using own = SecretBytes.copy(secret.bytes.subarray(0, longestSecretBytes));
      const matches = await hasher.matches(own.bytes, stored);
      if (matches === 'busy') return refusals.busy;
      isEnded = true;
      if (!matches || stored === undefined || principal?.enabled !== true) {
        attempt.failed(now());
        return refusals.badSecret;
      }
      attempt.succeeded();
      this.#remember(mark, { objectId: principal.objectId, keyId: stored.keyId, until: now() + rememberedFor });
      return this.#recall(mark) ?? refusals.badSecret;
    } finally {
      if (!isEnded) attempt.abandoned();
    }
  }

  /** What was reset, deleted or disabled since is not let in. */
  #recall(mark: string): Authenticated | undefined {
    const found = this.#remembered.get(mark);
    if (found === undefined) return undefined;
    const principal = found.until > this.#options.now() ? this.#options.store.byObjectId(found.objectId) : undefined;
    if (principal?.enabled === true && this.#options.store.hasSecret(found.keyId)) return { principal, proof: '1' };
    this.#remembered.delete(mark);
    return undefined;
  }

  #remember(mark: string, entry: Remembered): void {
    this.#remembered.set(mark, entry);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > maximumRemembered && oldest !== undefined) this.#remembered.delete(oldest);
  }
}
