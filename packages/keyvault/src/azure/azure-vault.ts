import type { Agent } from 'node:https';
import type { TokenCredential } from '@azure/identity';
import type { KeyClientOptions, KeyVaultKey } from '@azure/keyvault-keys';
import { KannukiError, SecretBytes } from '@kannuki/core';
import { readAuthorityFile, readCredentialFile } from '../credential-file.ts';
import {
  assertObjectName,
  type ObjectCollection,
  type ObjectId,
  parseObjectId,
  requireObjectId,
} from '../object-id.ts';
import {
  isWrapAlgorithm,
  type KeyInfo,
  type KeyKind,
  type SecretAttributes,
  type StoredSecret,
  type VaultPort,
  type WrapAlgorithm,
  type WrappedKey,
} from '../port.ts';
import { vaultSenseless, vaultUnreachable } from '../remote/bounded-request.ts';
import { assertStorable } from '../storable.ts';
import type { AzureVaultAddress } from './address.ts';
import { type AzureCall, azureFailure, throttled } from './failure.ts';
import { isLocalName, ownAgent } from './own-agent.ts';
import { type AzureSdk, type LoadAzureSdk, loadAzureSdk } from './sdk.ts';

export interface AzureVaultOptions {
  /** Of one call of the port, retries and signing in included. Default 30 s. */
  readonly totalTimeoutSeconds?: number;
  /** For tests of an installation without the packages. */
  readonly loadSdk?: LoadAzureSdk;
}

/** What the clients of all three packages understand. */
type ClientOptions = Pick<
  KeyClientOptions,
  'agent' | 'disableChallengeResourceVerification' | 'additionalPolicies' | 'retryOptions'
>;
type Policies = NonNullable<KeyClientOptions['additionalPolicies']>;

const curveBits: Readonly<Record<string, number>> = { 'P-256': 256, 'P-384': 384, 'P-521': 521, 'P-256K': 256 };
const keyKinds: readonly string[] = ['RSA', 'RSA-HSM', 'EC', 'EC-HSM'] satisfies readonly KeyKind[];
/** Reads are tried three times; a write only once, because a second try would make a second version. */
const readRetries = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 2000 } as const;
const noRetries = { maxRetries: 0 } as const;

/**
 * Azure Key Vault through Microsoft's own packages.
 *
 * What no driver on these packages can do is rule 5 of ARCHITECTURE.md: they take and give a secret's value as a string
 * of JavaScript, which cannot be wiped and stays until its memory is used again. With a KEK the value is ciphertext and
 * nothing is lost by it; wrapKey and unwrapKey take and give bytes, but their JSON bodies are strings inside the packages.
 *
 * Each call has clients of its own. A client of these packages signs in with its first request, which it sends without
 * its body; of several first requests at once the others go out whole and without a token, and one can lose its body
 * (@azure/keyvault-common 2.1.0). Tokens are kept by the credential and connections by the agent, so what it costs is
 * one refused request a call.
 */
export class AzureVault implements VaultPort, Disposable {
  readonly vaultUri: string;
  readonly #address: AzureVaultAddress;
  readonly #sdk: AzureSdk;
  readonly #credential: TokenCredential;
  readonly #signIn: StatusWatch;
  readonly #clientOptions: ClientOptions;
  readonly #totalTimeoutSeconds: number;

  private constructor(parts: {
    address: AzureVaultAddress;
    sdk: AzureSdk;
    credential: TokenCredential;
    signIn: StatusWatch;
    clientOptions: ClientOptions;
    totalTimeoutSeconds: number;
  }) {
    this.#address = parts.address;
    this.#sdk = parts.sdk;
    this.#credential = parts.credential;
    this.#signIn = parts.signIn;
    this.#clientOptions = parts.clientOptions;
    this.#totalTimeoutSeconds = parts.totalTimeoutSeconds;
    this.vaultUri = parts.address.vaultUri;
  }

  /** Reads the credential and gets ready; nothing is sent yet. @throws KannukiError KNK-KVT-0051, 0052 */
  static async open(address: AzureVaultAddress, options: AzureVaultOptions = {}): Promise<AzureVault> {
    const { totalTimeoutSeconds = 30, loadSdk } = options;
    const sdk = await loadAzureSdk(address.vaultUri, loadSdk);
    const { authorityFile, anyTokenDomain, host } = address;
    const authority =
      authorityFile === null ? undefined : Buffer.from(await readAuthorityFile(authorityFile)).toString('latin1');
    const isOwn = authority !== undefined || isLocalName(new URL(`https://${host}`).hostname);
    const agent = isOwn ? ownAgent(authority) : undefined;
    const common = agent === undefined ? {} : { agent };
    const signIn = new StatusWatch();
    const credential = await openCredential(sdk, address, { ...common, additionalPolicies: signIn.policies });
    const clientOptions = { ...common, disableChallengeResourceVerification: anyTokenDomain };
    return new AzureVault({ address, sdk, credential, signIn, clientOptions, totalTimeoutSeconds });
  }

  async keyInfo(keyId: string): Promise<KeyInfo> {
    const { name, version } = this.#ownId(keyId, 'keys');
    const key = await this.#key({ vault: this.vaultUri, call: 'keyInfo', object: keyId }, name, version);
    const { id, keyType = '', keyOperations = [], properties } = key;
    const bits = key.key?.n === undefined ? curveBits[key.key?.crv ?? ''] : bitLength(key.key.n);
    if (!isKeyKind(keyType) || bits === undefined) {
      const details = {
        what: `a key of the type ${keyType.slice(0, 40)}`,
        reason: 'it is neither RSA nor of a known curve',
      };
      throw new KannukiError('KNK-KVT-0026', { details });
    }
    return {
      id: this.#versioned(id, 'keys', name),
      kind: keyType,
      bits,
      enabled: properties.enabled === true,
      operations: [...keyOperations],
    };
  }

  async wrapKey(keyId: string, algorithm: WrapAlgorithm, value: SecretBytes): Promise<WrappedKey> {
    const { id, call, name } = await this.#keyToUse(keyId, 'wrapKey', algorithm);
    const { result, keyID } = await this.#run(call, (abortSignal, options) =>
      this.#cryptography(id, name, options).wrapKey(algorithm, value.bytes, { abortSignal }),
    );
    return { keyId: this.#versioned(keyID ?? id, 'keys', name), value: Uint8Array.from(result) };
  }

  async unwrapKey(keyId: string, algorithm: WrapAlgorithm, wrapped: Uint8Array): Promise<SecretBytes> {
    const { id, call, name } = await this.#keyToUse(keyId, 'unwrapKey', algorithm);
    const { result } = await this.#run(call, (abortSignal, options) =>
      this.#cryptography(id, name, options).unwrapKey(algorithm, wrapped, { abortSignal }),
    );
    return SecretBytes.take(result);
  }

  async setSecret(name: string, value: SecretBytes, attributes: SecretAttributes): Promise<{ readonly id: string }> {
    assertStorable(name, value, attributes);
    const { contentType, tags } = attributes;
    const call: AzureCall = { vault: this.vaultUri, call: 'setSecret', object: `secret ${name}` };
    const { properties } = await this.#run(call, async (abortSignal, options) => {
      const client = new this.#sdk.secrets.SecretClient(this.vaultUri, this.#credential, {
        ...options,
        retryOptions: noRetries,
      });
      const text = Buffer.from(value.bytes).toString('utf8');
      return await client.setSecret(name, text, {
        abortSignal,
        tags: { ...tags },
        ...(contentType === null ? {} : { contentType }),
      });
    });
    return { id: this.#versioned(properties.id, 'secrets', name) };
  }

  async getSecret(secretId: string): Promise<StoredSecret> {
    const { name, version } = this.#ownId(secretId, 'secrets');
    const call: AzureCall = { vault: this.vaultUri, call: 'getSecret', object: secretId };
    const { value: text, properties } = await this.#run(call, async (abortSignal, options) => {
      const client = new this.#sdk.secrets.SecretClient(this.vaultUri, this.#credential, {
        ...options,
        retryOptions: readRetries,
      });
      return await client.getSecret(name, { abortSignal, ...(version === null ? {} : { version }) });
    });
    if (text === undefined) throw vaultSenseless(this.vaultUri, 'the secret has no value');
    const { id, enabled, contentType, tags } = properties;
    return {
      id: this.#versioned(id, 'secrets', name, version),
      enabled: enabled === true,
      contentType: contentType ?? null,
      tags: { ...tags },
      value: SecretBytes.take(Buffer.from(text, 'utf8')),
    };
  }

  async disableSecret(name: string): Promise<void> {
    assertObjectName(name, 'secrets');
    const call: AzureCall = { vault: this.vaultUri, call: 'disableSecret', object: `secret ${name}` };
    // Disabling twice is disabling once, so all of it may be tried again.
    await this.#run(call, async (abortSignal, options) => {
      const client = new this.#sdk.secrets.SecretClient(this.vaultUri, this.#credential, {
        ...options,
        retryOptions: readRetries,
      });
      for await (const { version, enabled } of client.listPropertiesOfSecretVersions(name, { abortSignal })) {
        if (version === undefined) throw vaultSenseless(this.vaultUri, 'a version of the secret has no name');
        if (enabled !== false) await client.updateSecretProperties(name, version, { enabled: false, abortSignal });
      }
    });
  }

  [Symbol.dispose](): void {
    (this.#clientOptions.agent as Agent | undefined)?.destroy();
  }

  /** The versioned id of a key: what was given, or the newest. */
  async #keyToUse(
    keyId: string,
    call: 'wrapKey' | 'unwrapKey',
    algorithm: WrapAlgorithm,
  ): Promise<{ id: string; name: string; call: AzureCall }> {
    if (!isWrapAlgorithm(algorithm)) {
      const details = { what: 'the algorithm', reason: 'it is neither RSA-OAEP nor RSA-OAEP-256' };
      throw new KannukiError('KNK-KVT-0008', { details });
    }
    const { name, version } = this.#ownId(keyId, 'keys');
    const purpose: AzureCall = { vault: this.vaultUri, call, object: keyId, algorithm };
    if (version !== null) {
      const id = `${this.vaultUri}keys/${name}/${version}`;
      return { id, name, call: { ...purpose, object: id } };
    }
    const newest = await this.#key(purpose, name, null);
    const id = this.#versioned(newest.id, 'keys', name);
    return { id, name, call: { ...purpose, object: id } };
  }

  #key(call: AzureCall, name: string, version: string | null): Promise<KeyVaultKey> {
    return this.#run(call, async (abortSignal, options) => {
      const client = new this.#sdk.keys.KeyClient(this.vaultUri, this.#credential, {
        ...options,
        retryOptions: readRetries,
      });
      return await client.getKey(name, { abortSignal, ...(version === null ? {} : { version }) });
    });
  }

  /**
   * A client that knows the key's id and nothing more, and so asks the vault for everything. One that knows the key
   * wraps by itself, past the vault's permissions and audit, and refuses to unwrap with an expired key, which Azure permits.
   */
  #cryptography(
    id: string,
    name: string,
    options: ClientOptions,
  ): InstanceType<AzureSdk['keys']['CryptographyClient']> {
    const key: KeyVaultKey = { id, name, properties: { name, vaultUrl: this.vaultUri } };
    return new this.#sdk.keys.CryptographyClient(key, this.#credential, { ...options, retryOptions: readRetries });
  }

  /** Ends in time even where the SDK does not heed its signal. */
  async #run<Result>(
    call: AzureCall,
    action: (signal: AbortSignal, options: ClientOptions) => Promise<Result>,
  ): Promise<Result> {
    const controller = new AbortController();
    const watch = new StatusWatch();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      controller.abort();
      // A vault that asks for a longer pause than there is time has answered, after all.
      if (watch.status === 429) reject(throttled(this.vaultUri));
      else reject(vaultUnreachable(this.vaultUri, `no answer in ${this.#totalTimeoutSeconds} s`));
    }, this.#totalTimeoutSeconds * 1000);
    try {
      const options = { ...this.#clientOptions, additionalPolicies: watch.policies };
      return await Promise.race([action(controller.signal, options), late]);
    } catch (error) {
      throw azureFailure(error, call, { vault: watch.status, signIn: this.#signIn.status });
    } finally {
      clearTimeout(timer);
    }
  }

  #ownId(id: string, collection: ObjectCollection): ObjectId {
    const parsed = requireObjectId(id, collection);
    if (parsed.host === this.#address.host) return parsed;
    throw new KannukiError('KNK-KVT-0003', { details: { object: id.slice(0, 400) } });
  }

  /** An id in an answer must be one of the object that was asked for. */
  #versioned(id: string | undefined, collection: ObjectCollection, name: string, version?: string | null): string {
    const parsed = parseObjectId(id ?? '', collection);
    const fits = parsed?.host === this.#address.host && parsed.name.toLowerCase() === name.toLowerCase();
    if (id === undefined || !fits || parsed.version === null || (version != null && parsed.version !== version)) {
      throw vaultSenseless(this.vaultUri, 'it names another object than the one that was asked for');
    }
    return id;
  }
}

/** Remembers the last HTTP status, which the SDK does not tell with every error; 0 while there is none. */
class StatusWatch {
  status = 0;
  readonly policies: Policies = [
    {
      position: 'perRetry',
      policy: {
        name: 'kannuki-status',
        sendRequest: async (request, next) => {
          this.status = 0;
          const response = await next(request);
          this.status = response.status;
          return response;
        },
      },
    },
  ];
}

async function openCredential(
  sdk: AzureSdk,
  { credential, authorityHost }: AzureVaultAddress,
  common: ClientOptions,
): Promise<TokenCredential> {
  // Azure's list of its own clouds does not know a cloud of one's own, and asking it would leave the machine.
  const own = authorityHost === null ? {} : { authorityHost, disableInstanceDiscovery: true };
  const options = { ...common, ...own, retryOptions: readRetries };
  // The metadata service of a VM speaks HTTP, to which an agent for HTTPS cannot connect.
  const { agent: _, ...plain } = options;
  switch (credential.kind) {
    case 'secret': {
      const { tenantId, clientId, secretFile } = credential;
      using secret = await readCredentialFile(secretFile);
      const text = Buffer.from(secret.bytes).toString('utf8');
      return new sdk.identity.ClientSecretCredential(tenantId, clientId, text, options);
    }
    case 'certificate': {
      const { tenantId, clientId, certificateFile } = credential;
      using pem = await readCredentialFile(certificateFile);
      const certificate = Buffer.from(pem.bytes).toString('latin1');
      return new sdk.identity.ClientCertificateCredential(tenantId, clientId, { certificate }, options);
    }
    case 'managed-identity': {
      const { clientId } = credential;
      return new sdk.identity.ManagedIdentityCredential(clientId === null ? plain : { ...plain, clientId });
    }
    case 'default':
      return new sdk.identity.DefaultAzureCredential(plain);
  }
}

function bitLength(modulus: Uint8Array): number {
  const first = modulus.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (modulus.length - first) * 8 - Math.clz32(modulus[first] ?? 0) + 24;
}

function isKeyKind(kind: string): kind is KeyKind {
  return keyKinds.includes(kind);
}
