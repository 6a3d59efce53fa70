import { KannukiError } from '@kannuki/core';
import { vaultSenseless, vaultUnreachable } from '../remote/bounded-request.ts';

/** What the port was asked to do when the SDK threw. */
export interface AzureCall {
  readonly vault: string;
  readonly call: 'keyInfo' | 'wrapKey' | 'unwrapKey' | 'setSecret' | 'getSecret' | 'disableSecret';
  readonly object: string;
  /** Of wrapKey and unwrapKey. */
  readonly algorithm?: string;
}

/** The last HTTP status that came, of the vault and of who signs in; 0 while none did. */
export interface SeenStatus {
  readonly vault: number;
  readonly signIn: number;
}

const signInErrors: readonly string[] = [
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
];

/**
 * Turns what the SDK throws into the catalogue's errors by class, status and code alone. Its messages are not passed on
 * and its errors are not kept as cause: both quote requests and answers, and those hold values.
 */
export function azureFailure(error: unknown, call: AzureCall, seen: SeenStatus): KannukiError {
  if (error instanceof KannukiError) return error;
  const { vault, object } = call;
  const { name, code, ...told } = describe(error);
  if (signInErrors.includes(name)) {
    // Refused is final; no answer is not, and a boot that waits must be able to tell them apart.
    if (seen.signIn >= 400 && seen.signIn < 500 && seen.signIn !== 429) return notSignedIn(vault);
    return vaultUnreachable(vault, 'no credential was found, or who should sign in does not answer');
  }
  if (name === 'AbortError') return vaultUnreachable(vault, 'the call was ended');
  // Answers that the SDK cannot read make it throw something without status.
  const statusCode = told.statusCode ?? (name === 'RestError' ? 0 : seen.vault);
  if (statusCode === 0) return vaultUnreachable(vault, code ?? 'connection lost');
  if (statusCode < 400) return vaultSenseless(vault, 'the SDK cannot read it');
  if (statusCode === 400) return badRequest(call);
  if (statusCode === 401) return notSignedIn(vault);
  if (statusCode === 403) return forbidden(error, call);
  if (statusCode === 404) return new KannukiError('KNK-KVT-0003', { details: { object } });
  if (statusCode === 409) {
    return new KannukiError('KNK-KVT-0021', {
      details: { object, reason: 'a deleted object of that name is in the way' },
    });
  }
  if (statusCode === 429) return throttled(vault);
  if (statusCode >= 500) return vaultUnreachable(vault, `HTTP status ${statusCode}`);
  return vaultSenseless(vault, `HTTP status ${statusCode}`);
}

export function throttled(vault: string): KannukiError {
  return new KannukiError('KNK-KVT-0028', { details: { vault, seconds: 10 } });
}

/** Everything about the request was checked before it went out, so a key or a value is what Azure objects to. */
function badRequest({ vault, call, object, algorithm = '' }: AzureCall): KannukiError {
  if (call === 'wrapKey' || call === 'unwrapKey') {
    return new KannukiError('KNK-KVT-0018', { details: { key: object, call, algorithm } });
  }
  if (call === 'setSecret') {
    return new KannukiError('KNK-KVT-0007', { details: { object, reason: 'the vault refuses it (HTTP status 400)' } });
  }
  return vaultSenseless(vault, 'HTTP status 400');
}

function forbidden(error: unknown, { vault, call, object }: AzureCall): KannukiError {
  const inner = innerCode(error);
  if (inner === 'KeyDisabled' || inner === 'SecretDisabled')
    return new KannukiError('KNK-KVT-0004', { details: { object } });
  if (
    inner === 'KeyNotYetValid' ||
    inner === 'KeyExpired' ||
    inner === 'SecretNotYetValid' ||
    inner === 'SecretExpired'
  ) {
    return new KannukiError('KNK-KVT-0024', { details: { object, reason: 'it is not valid yet, or not any more' } });
  }
  return new KannukiError('KNK-KVT-0002', { details: { vault, call, object } });
}

function notSignedIn(vault: string): KannukiError {
  return new KannukiError('KNK-KVT-0002', { details: { vault, call: 'sign-in', object: 'this credential' } });
}

interface Described {
  readonly name: string;
  readonly statusCode: number | undefined;
  readonly code: string | undefined;
}

function describe(error: unknown): Described {
  if (typeof error !== 'object' || error === null) return { name: '', statusCode: undefined, code: undefined };
  const { name, statusCode, code } = error as Readonly<Record<string, unknown>>;
  return {
    name: typeof name === 'string' ? name : '',
    statusCode: typeof statusCode === 'number' ? statusCode : undefined,
    // Codes of Node and of the SDK are words; anything else is not shown.
    code: typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : undefined,
  };
}

/** `error.innererror.code` of the answer (REST of Key Vault), as the SDKs give it. */
function innerCode(error: unknown): unknown {
  let at: unknown = (error as { readonly details?: unknown } | null | undefined)?.details;
  for (const name of ['error', 'innerError', 'code']) {
    if (typeof at !== 'object' || at === null) return undefined;
    const fields = at as Readonly<Record<string, unknown>>;
    at = fields[name] ?? fields[name.toLowerCase()];
  }
  return at;
}
