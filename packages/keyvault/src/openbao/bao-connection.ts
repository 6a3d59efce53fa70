import { KannukiError, SecretBytes } from '@kannuki/core';
import { readAuthorityFile, readCredentialFile } from '../credential-file.ts';
import { boundedRequest, vaultSenseless, vaultUnreachable } from '../remote/bounded-request.ts';
import type { OpenBaoAddress } from './address.ts';
import { decodeWithSecret, encodeWithSecret, memberAt, secretPlace } from './bao-json.ts';

export interface OpenBaoTimeouts {
  /** Until TLS is up. Default 10 s. */
  readonly connectTimeoutSeconds?: number;
  /** Of one call of the port, whatever requests it takes. Default 30 s. */
  readonly totalTimeoutSeconds?: number;
}

/** What the port was asked to do; for errors. */
export interface Purpose {
  readonly call: string;
  readonly object: string;
  /** On the clock of performance.now(): when the whole call must be over. */
  readonly deadline: number;
}

export interface BaoRequest {
  readonly method: 'GET' | 'POST';
  /** Below `/v1/`, with query. Made of checked names only. */
  readonly path: string;
  readonly body?: SecretBytes;
  /** Where the answer has a secret, as names of members. */
  readonly secretAt?: readonly string[];
}

export interface BaoAnswer {
  readonly status: number;
  readonly rest: Readonly<Record<string, unknown>>;
  /** The caller disposes it. */
  readonly secret: SecretBytes | undefined;
}

/** A 25 KiB value in base64 and fifteen tags, every character escaped. */
const answerLimitBytes = 256 * 1024;
const tokenShape = /^[\x21-\x7e]{1,4096}$/;

/** Signed-in requests to one OpenBao, over TLS. */
export class BaoConnection implements Disposable {
  readonly vaultUri: string;
  readonly #address: OpenBaoAddress;
  readonly #timeouts: Required<OpenBaoTimeouts>;
  /** A token that was got by signing in, until some time before it ends. */
  #signedIn: { readonly token: SecretBytes; readonly until: number } | undefined;
  #signingIn: Promise<void> | undefined;
  #authority: Promise<Uint8Array> | undefined;

  constructor(address: OpenBaoAddress, { connectTimeoutSeconds = 10, totalTimeoutSeconds = 30 }: OpenBaoTimeouts) {
    this.#address = address;
    this.#timeouts = { connectTimeoutSeconds, totalTimeoutSeconds };
    this.vaultUri = `https://${address.host}/`;
  }

  purpose(call: string, object: string): Purpose {
    return { call, object, deadline: performance.now() + this.#timeouts.totalTimeoutSeconds * 1000 };
  }

  /**
   * One request with a valid token. A token that we got by signing in is got anew where it is refused, once: it may have
   * been revoked before its time.
   * @throws KannukiError for whatever is neither 200, 204, 400, 404 nor 500; those are the caller's to judge
   */
  async send(purpose: Purpose, request: BaoRequest): Promise<BaoAnswer> {
    const answer = await this.#sendOnce(purpose, request);
    const mayHaveEnded = answer.status === 403 && this.#address.credential.kind === 'approle';
    if (!mayHaveEnded) return this.#judged(purpose, answer);
    this.#forget();
    return this.#judged(purpose, await this.#sendOnce(purpose, request));
  }

  /** For an answer that the caller can make nothing of. */
  failure(purpose: Purpose, status: number): KannukiError {
    const { call, object } = purpose;
    const vault = this.vaultUri;
    if (status === 401 || status === 403) return new KannukiError('KNK-KVT-0002', { details: { vault, call, object } });
    if (status === 404) return new KannukiError('KNK-KVT-0003', { details: { object } });
    if (status === 429) return new KannukiError('KNK-KVT-0028', { details: { vault, seconds: 1 } });
    if (status === 503) return vaultUnreachable(vault, 'it is sealed or under maintenance');
    if (status >= 301 && status <= 308)
      return vaultUnreachable(vault, 'it is a standby that points to another address');
    if (status === 412 || (status >= 470 && status < 500) || status === 502 || status === 504) {
      return vaultUnreachable(vault, `HTTP status ${status}`);
    }
    if (status === 500) return new KannukiError('KNK-KVT-0019', { details: { vault, call } });
    return vaultSenseless(vault, `HTTP status ${status}`);
  }

  senseless(reason: string): KannukiError {
    return vaultSenseless(this.vaultUri, reason);
  }

  [Symbol.dispose](): void {
    this.#forget();
  }

  #judged(purpose: Purpose, answer: BaoAnswer): BaoAnswer {
    if ([200, 204, 400, 404, 500].includes(answer.status)) return answer;
    answer.secret?.[Symbol.dispose]();
    throw this.failure(purpose, answer.status);
  }

  async #sendOnce(purpose: Purpose, request: BaoRequest): Promise<BaoAnswer> {
    using token = await this.#token(purpose);
    // Node takes headers as strings only, so the token is one for the time of this call.
    const text = Buffer.from(token.bytes).toString('latin1');
    if (!tokenShape.test(text)) throw this.senseless('the token is not one line of ASCII');
    return await this.#exchange(purpose, request, { 'x-vault-token': text });
  }

  async #token(purpose: Purpose): Promise<SecretBytes> {
    const { credential } = this.#address;
    // Read anew each time: whoever renews it replaces the file.
    if (credential.kind === 'token') return await readCredentialFile(credential.tokenFile);
    if (this.#signedIn === undefined || performance.now() > this.#signedIn.until) {
      this.#signingIn ??= this.#signIn(purpose).finally(() => {
        this.#signingIn = undefined;
      });
      await this.#signingIn;
    }
    if (this.#signedIn === undefined) throw this.senseless('signing in gave no token');
    return SecretBytes.copy(this.#signedIn.token.bytes);
  }

  async #signIn(purpose: Purpose): Promise<void> {
    const { credential } = this.#address;
    if (credential.kind !== 'approle') return;
    using roleId = await readCredentialFile(credential.roleIdFile);
    using secretId = await readCredentialFile(credential.secretIdFile);
    for (const id of [roleId, secretId]) {
      if (!id.bytes.every((byte) => byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c)) {
        throw new KannukiError('KNK-KVT-0051', {
          details: { file: credential.secretIdFile, reason: 'role id and secret id are one line of ASCII each' },
        });
      }
    }
    const role = Buffer.from(roleId.bytes).toString('latin1');
    using body = encodeWithSecret({ role_id: role, secret_id: secretPlace }, secretId, 'text');
    const signIn = { ...purpose, call: 'sign-in', object: `auth/${credential.mount}` };
    const request = {
      method: 'POST',
      path: `auth/${credential.mount}/login`,
      body,
      secretAt: ['auth', 'client_token'],
    } as const;
    const { status, rest, secret } = await this.#exchange(signIn, request, {});
    if (status !== 200 || secret === undefined) {
      secret?.[Symbol.dispose]();
      // A wrong role id or secret id is told with 400.
      throw this.failure(signIn, status === 400 ? 403 : status);
    }
    const lease = memberAt(rest, ['auth', 'lease_duration']);
    const seconds = typeof lease === 'number' && lease > 0 ? Math.min(lease, 24 * 3600) : 24 * 3600;
    this.#forget();
    this.#signedIn = { token: secret, until: performance.now() + seconds * 800 };
  }

  async #exchange(
    { deadline }: Purpose,
    { method, path, body, secretAt = [] }: BaoRequest,
    headers: Readonly<Record<string, string>>,
  ): Promise<BaoAnswer> {
    const { host, namespace, authorityFile } = this.#address;
    const { connectTimeoutSeconds, totalTimeoutSeconds } = this.#timeouts;
    const left = (deadline - performance.now()) / 1000;
    if (left <= 0) throw vaultUnreachable(this.vaultUri, `no answer in ${totalTimeoutSeconds} s`);
    const authority = authorityFile === null ? undefined : await this.#readAuthority(authorityFile);
    const { status, body: received } = await boundedRequest({
      vaultUri: this.vaultUri,
      url: new URL(`https://${host}/v1/${path}`),
      method,
      // OpenBao's agent in between takes only requests that say they are meant for it.
      headers: {
        ...headers,
        'x-vault-request': 'true',
        ...(namespace === null ? {} : { 'x-vault-namespace': namespace }),
      },
      ...(body === undefined ? {} : { body: body.bytes }),
      ...(authority === undefined ? {} : { authority }),
      connectTimeoutSeconds: Math.min(connectTimeoutSeconds, left),
      totalTimeoutSeconds: left,
      answerLimitBytes,
    });
    using answer = received;
    if (answer.length === 0) return { status, rest: {}, secret: undefined };
    const decoded = decodeWithSecret(answer.bytes, secretAt);
    if (decoded !== undefined) return { status, ...decoded };
    // What is in the way may answer in HTML; its status still tells something.
    if (status === 200) throw this.senseless('it is not JSON');
    return { status, rest: {}, secret: undefined };
  }

  #readAuthority(file: string): Promise<Uint8Array> {
    this.#authority ??= readAuthorityFile(file).catch((error: unknown) => {
      this.#authority = undefined;
      throw error;
    });
    return this.#authority;
  }

  #forget(): void {
    this.#signedIn?.token[Symbol.dispose]();
    this.#signedIn = undefined;
  }
}
