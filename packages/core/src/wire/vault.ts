/**
 * What an agent asks of its vault through the Kannuki server: `POST /agent/v1/vault/CALL?vault=NAME` over TLS with a
 * client certificate. Request and reply are one JSON object; every `value` is standard base64 and is the only member
 * that may hold key material. Client and server code live side by side in packages/keyvault/src/remote, so the two ends
 * cannot drift; this file is the contract that both are typed by.
 */

/** The path below which the calls are mounted; the vault's name is the query parameter `vault`. */
export const vaultPathPrefix = '/agent/v1/vault/';

/** Bytes of a request or reply body: a 25 KiB secret in base64 with its tags fits with room to spare. */
export const vaultBodyLimitBytes = 64 * 1024;

export const vaultCalls = ['keyInfo', 'wrapKey', 'unwrapKey', 'setSecret', 'getSecret', 'disableSecret'] as const;
export type VaultCall = (typeof vaultCalls)[number];

/** Request and reply of each call, without the `value` members (see `vaultValues`). */
export interface VaultWire {
  readonly keyInfo: {
    readonly request: { readonly keyId: string };
    readonly reply: {
      readonly id: string;
      readonly kind: string;
      readonly bits: number;
      readonly enabled: boolean;
      readonly operations: readonly string[];
    };
  };
  readonly wrapKey: {
    readonly request: { readonly keyId: string; readonly algorithm: string };
    readonly reply: { readonly keyId: string };
  };
  readonly unwrapKey: {
    readonly request: { readonly keyId: string; readonly algorithm: string };
    readonly reply: Readonly<Record<never, never>>;
  };
  readonly setSecret: {
    readonly request: {
      readonly name: string;
      readonly contentType: string | null;
      readonly tags: Readonly<Record<string, string>>;
    };
    readonly reply: { readonly id: string };
  };
  readonly getSecret: {
    readonly request: { readonly secretId: string };
    readonly reply: {
      readonly id: string;
      readonly enabled: boolean;
      readonly contentType: string | null;
      readonly tags: Readonly<Record<string, string>>;
    };
  };
  /** Every version of it. */
  readonly disableSecret: {
    readonly request: { readonly name: string };
    readonly reply: Readonly<Record<never, never>>;
  };
}

/** Which ends of a call carry `value`, and must. */
export const vaultValues = {
  keyInfo: { request: false, reply: false },
  wrapKey: { request: true, reply: true },
  unwrapKey: { request: true, reply: true },
  setSecret: { request: true, reply: false },
  getSecret: { request: false, reply: true },
  disableSecret: { request: false, reply: false },
} as const satisfies Record<VaultCall, { request: boolean; reply: boolean }>;

/** Body of every reply whose status is not 200. Text is English and for people; programs read `code`. */
export interface VaultFailure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details: Readonly<Record<string, string | number | boolean>>;
  };
}

export function isVaultCall(call: string): call is VaultCall {
  return (vaultCalls as readonly string[]).includes(call);
}
