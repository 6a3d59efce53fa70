import {
  catalogue,
  type ErrorCode,
  type ErrorDetails,
  KannukiError,
  SecretBytes,
  type VaultCall,
  type VaultWire,
  vaultBodyLimitBytes,
  vaultPathPrefix,
  vaultValues,
} from '@kannuki/core';
import type {
  KeyInfo,
  KeyKind,
  SecretAttributes,
  StoredSecret,
  VaultPort,
  WrapAlgorithm,
  WrappedKey,
} from '../port.ts';
import { type BoundedAnswer, boundedRequest, vaultSenseless, vaultUnreachable } from './bounded-request.ts';
import { nullableTextField, textField, textListField, textMapField } from './fields.ts';
import { type DecodedBody, decodeBody, encodeBody } from './secret-json.ts';

/** How to reach the Kannuki server, and as whom. PEM throughout. */
export interface ServerConnection {
  /** `https://HOST[:PORT]`. */
  readonly serverUrl: string;
  /** The authority that signs the server; the system's own authorities are not trusted here. */
  readonly authority: string | Uint8Array;
  readonly certificate: string | Uint8Array;
  readonly privateKey: string | Uint8Array;
  /** Until TLS is up. Default 10 s. */
  readonly connectTimeoutSeconds?: number;
  /** Until the last byte of the answer. Default 30 s. */
  readonly totalTimeoutSeconds?: number;
}

export interface RemoteVaultOptions {
  readonly connection: ServerConnection;
  readonly vaultName: string;
  /** The vault's own address where it is known; else one that names server and vault. */
  readonly vaultUri?: string;
}

const keyKinds: readonly string[] = ['RSA', 'RSA-HSM', 'EC', 'EC-HSM'] satisfies readonly KeyKind[];

/**
 * A vault behind the Kannuki server (wire/vault.ts), over TLS 1.2 or later with a client certificate. Nothing is tried
 * twice: setSecret would make a second version, and who waits for a vault at boot has a loop of his own.
 */
export class RemoteVault implements VaultPort {
  readonly vaultUri: string;
  readonly #connection: ServerConnection;
  readonly #vaultName: string;

  constructor({ connection, vaultName, vaultUri }: RemoteVaultOptions) {
    this.#connection = connection;
    this.#vaultName = vaultName;
    this.vaultUri = vaultUri ?? `${connection.serverUrl.replace(/\/+$/, '')}/?vault=${encodeURIComponent(vaultName)}`;
  }

  async keyInfo(keyId: string): Promise<KeyInfo> {
    const { rest } = await this.#call('keyInfo', { keyId });
    const id = textField(rest, 'id');
    const kind = textField(rest, 'kind');
    const operations = textListField(rest, 'operations');
    const { bits, enabled } = rest;
    if (id === undefined || operations === undefined || typeof bits !== 'number' || typeof enabled !== 'boolean') {
      throw this.#senseless('a member of the key is missing');
    }
    if (kind === undefined || !isKeyKind(kind)) throw this.#senseless('the kind of the key is unknown');
    return { id, kind, bits, enabled, operations };
  }

  async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    const { rest, value: wrapped } = await this.#call('wrapKey', { keyId, algorithm }, value);
    using ciphertext = this.#required(wrapped);
    const usedKeyId = textField(rest, 'keyId');
    if (usedKeyId === undefined) throw this.#senseless('it does not name the key');
    return { keyId: usedKeyId, value: Uint8Array.from(ciphertext.bytes) };
  }

  async unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    using ciphertext = SecretBytes.copy(wrapped);
    return this.#required((await this.#call('unwrapKey', { keyId, algorithm }, ciphertext)).value);
  }

  async setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    const { contentType, tags } = attributes;
    const { rest } = await this.#call('setSecret', { name, contentType, tags }, value);
    const id = textField(rest, 'id');
    if (id === undefined) throw this.#senseless('it does not name the version');
    return { id };
  }

  async getSecret(secretId: string): Promise<StoredSecret> {
    const { rest, value } = await this.#call('getSecret', { secretId });
    const secret = this.#required(value);
    const id = textField(rest, 'id');
    const contentType = nullableTextField(rest, 'contentType');
    const tags = textMapField(rest, 'tags');
    const { enabled } = rest;
    if (id === undefined || contentType === undefined || tags === undefined || typeof enabled !== 'boolean') {
      secret[Symbol.dispose]();
      throw this.#senseless('a member of the secret is missing');
    }
    return { id, enabled, contentType, tags, value: secret };
  }

  async disableSecret(name: string): Promise<void> {
    await this.#call('disableSecret', { name });
  }

  async #call<Call extends VaultCall>(
    call: Call,
    body: VaultWire[Call]['request'],
    value?: SecretBytes,
  ): Promise<DecodedBody> {
    using sent = SecretBytes.take(encodeBody(body, value));
    const { status, body: received } = await this.#exchange(call, sent.bytes);
    using answer = received;
    const decoded = decodeBody(answer.bytes);
    if (status !== 200) {
      decoded?.value?.[Symbol.dispose]();
      throw this.#failure(status, decoded?.rest);
    }
    if (decoded === undefined) throw this.#senseless('it is not JSON');
    if (vaultValues[call].reply !== (decoded.value !== undefined)) {
      decoded.value?.[Symbol.dispose]();
      throw this.#senseless('the value is missing or should not be there');
    }
    return decoded;
  }

  /** One request, one answer, in bounded time and memory. */
  #exchange(call: VaultCall, body: Uint8Array): Promise<BoundedAnswer> {
    const { serverUrl, connectTimeoutSeconds = 10, totalTimeoutSeconds = 30, ...pems } = this.#connection;
    const path = `${vaultPathPrefix}${call}?vault=${encodeURIComponent(this.#vaultName)}`;
    const url = URL.parse(path, serverUrl);
    if (url === null) throw this.#unreachable('the address of the server is not usable');
    return boundedRequest({
      ...pems,
      vaultUri: this.vaultUri,
      url,
      method: 'POST',
      body,
      connectTimeoutSeconds,
      totalTimeoutSeconds,
      answerLimitBytes: vaultBodyLimitBytes,
    });
  }

  #failure(status: number, rest: Readonly<Record<string, unknown>> | undefined): KannukiError {
    const error = rest?.error;
    if (typeof error === 'object' && error !== null) {
      const { code, details } = error as Record<string, unknown>;
      if (typeof code === 'string' && isErrorCode(code))
        return new KannukiError(code, { details: safeDetails(details) });
    }
    if (status === 401 || status === 403) {
      const details = { vault: this.vaultUri, call: 'this call', object: `vault ${this.#vaultName}` };
      return new KannukiError('KNK-KVT-0002', { details });
    }
    if (status === 429 || status >= 502) return this.#unreachable(`HTTP status ${status}`);
    return this.#senseless(`HTTP status ${status} without an error of ours`);
  }

  #required(value: SecretBytes | undefined): SecretBytes {
    if (value === undefined) throw this.#senseless('the value is missing');
    return value;
  }

  #unreachable(reason: string): KannukiError {
    return vaultUnreachable(this.vaultUri, reason);
  }

  #senseless(reason: string): KannukiError {
    return vaultSenseless(this.vaultUri, reason);
  }
}

function isKeyKind(kind: string): kind is KeyKind {
  return keyKinds.includes(kind);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}

/** What the other end says goes into texts for people: short, printable, and no more than a few. */
function safeDetails(details: unknown): ErrorDetails {
  if (typeof details !== 'object' || details === null) return {};
  const safe: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(details).slice(0, 16)) {
    if (typeof value === 'string') safe[name] = value.slice(0, 400).replace(/\p{Cc}/gu, ' ');
    else if (typeof value === 'number' || typeof value === 'boolean') safe[name] = value;
  }
  return safe;
}
