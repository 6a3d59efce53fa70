import {
  isVaultCall,
  KannukiError,
  SecretBytes,
  type VaultCall,
  type VaultFailure,
  type VaultWire,
  vaultBodyLimitBytes,
  vaultValues,
} from '@kannuki/core';
import { isWrapAlgorithm, type VaultPort, type WrapAlgorithm } from '../port.ts';
import { nullableTextField, textField, textMapField } from './fields.ts';
import { type DecodedBody, decodeBody, encodeBody } from './secret-json.ts';

/** What a call is about, for the server's decision whether this VM may make it, and for its audit line. */
export interface VaultRequest {
  readonly call: VaultCall;
  /** Key id, secret id, or (setSecret, disableSecret) the secret's name, as the client sent it. */
  readonly object: string;
}

export interface VaultReply {
  readonly status: number;
  /** JSON. May hold a secret: wipe it (`body.fill(0)`) when it was sent, and never log it. */
  readonly body: Buffer;
  /** What went wrong, for the server's own log: not part of the answer. */
  readonly failure?: unknown;
}

/** Throws (KNK-KVT-0002) where the caller may not make this call. */
export type Authorize = (request: VaultRequest) => void | Promise<void>;

/**
 * The server side of `POST /agent/v1/vault/CALL` without any HTTP: mount it in any framework that hands over the raw
 * body. Never throws: every failure becomes an answer, and what is not ours to show becomes KNK-KVT-0019.
 * @param body taken over and wiped; limit it to `vaultBodyLimitBytes` already while it is read
 */
export async function vaultRequestHandler(
  vault: VaultPort,
  call: string,
  body: Uint8Array,
  authorize: Authorize = () => undefined,
): Promise<VaultReply> {
  try {
    if (!isVaultCall(call)) throw malformed('the path', `there is no vault call ${call.slice(0, 40)}`);
    if (body.length > vaultBodyLimitBytes) throw malformed('the request', 'it is too large');
    const request = decodeBody(body);
    if (request === undefined) throw malformed('the request', 'it is not the JSON that this call takes');
    using value = request.value ?? SecretBytes.take(new Uint8Array(0));
    if (vaultValues[call].request !== (request.value !== undefined)) {
      throw malformed(
        'the request',
        vaultValues[call].request ? '"value" is missing' : '"value" does not belong in it',
      );
    }
    return { status: 200, body: await answer[call](vault, request.rest, value, authorize) };
  } catch (error) {
    return failed(vault, call, error);
  } finally {
    body.fill(0);
  }
}

type Answer = (
  vault: VaultPort,
  request: DecodedBody['rest'],
  value: SecretBytes,
  authorize: Authorize,
) => Promise<Buffer>;

const answer: Readonly<Record<VaultCall, Answer>> = {
  keyInfo: async (vault, request, _value, authorize) => {
    const keyId = required(request, 'keyId');
    await authorize({ call: 'keyInfo', object: keyId });
    const { id, kind, bits, enabled, operations } = await vault.keyInfo(keyId);
    return encodeBody({ id, kind, bits, enabled, operations } satisfies VaultWire['keyInfo']['reply'], undefined);
  },
  wrapKey: async (vault, request, value, authorize) => {
    const keyId = required(request, 'keyId');
    await authorize({ call: 'wrapKey', object: keyId });
    const wrapped = await vault.wrapKey(keyId, algorithmOf(request), value);
    using ciphertext = SecretBytes.take(wrapped.value);
    return encodeBody({ keyId: wrapped.keyId } satisfies VaultWire['wrapKey']['reply'], ciphertext);
  },
  unwrapKey: async (vault, request, value, authorize) => {
    const keyId = required(request, 'keyId');
    await authorize({ call: 'unwrapKey', object: keyId });
    using plain = await vault.unwrapKey(keyId, algorithmOf(request), value.bytes);
    return encodeBody({} satisfies VaultWire['unwrapKey']['reply'], plain);
  },
  setSecret: async (vault, request, value, authorize) => {
    const name = required(request, 'name');
    await authorize({ call: 'setSecret', object: name });
    const contentType = nullableTextField(request, 'contentType');
    const tags = textMapField(request, 'tags');
    if (contentType === undefined || tags === undefined) throw malformed('the request', 'contentType or tags');
    const { id } = await vault.setSecret(name, value, { contentType, tags });
    return encodeBody({ id } satisfies VaultWire['setSecret']['reply'], undefined);
  },
  getSecret: async (vault, request, _value, authorize) => {
    const secretId = required(request, 'secretId');
    await authorize({ call: 'getSecret', object: secretId });
    const stored = await vault.getSecret(secretId);
    using secret = stored.value;
    const { id, enabled, contentType, tags } = stored;
    return encodeBody({ id, enabled, contentType, tags } satisfies VaultWire['getSecret']['reply'], secret);
  },
  disableSecret: async (vault, request, _value, authorize) => {
    const name = required(request, 'name');
    await authorize({ call: 'disableSecret', object: name });
    await vault.disableSecret(name);
    return encodeBody({} satisfies VaultWire['disableSecret']['reply'], undefined);
  },
};

function required(request: DecodedBody['rest'], name: string): string {
  const text = textField(request, name);
  if (text === undefined || text === '') throw malformed('the request', `"${name}" is missing`);
  return text;
}

function algorithmOf(request: DecodedBody['rest']): WrapAlgorithm {
  const name = required(request, 'algorithm');
  if (!isWrapAlgorithm(name)) throw malformed('the algorithm', 'only RSA-OAEP and RSA-OAEP-256 wrap keys here');
  return name;
}

function malformed(what: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0008', { details: { what, reason } });
}

function failed(vault: VaultPort, call: string, error: unknown): VaultReply {
  const known =
    error instanceof KannukiError
      ? error
      : new KannukiError('KNK-KVT-0019', { details: { vault: vault.vaultUri, call: call.slice(0, 40) } });
  const { code, details } = known;
  const failure: VaultFailure = { error: { code, message: known.describe('en'), details } };
  return { status: known.httpStatus, body: encodeBody(failure, undefined), failure: error };
}
