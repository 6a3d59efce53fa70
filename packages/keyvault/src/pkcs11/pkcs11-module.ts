import { randomBytes } from 'node:crypto';
import { KannukiError, type SecretBytes } from '@kannuki/core';
import type {
  EncryptionAlgorithm,
  KeyModule,
  KeyShape,
  ModuleCapabilities,
  ModuleKey,
  SignatureAlgorithm,
} from '../service/key-module.ts';
import { digestBytesOf } from './algorithms.ts';
import { probeCapabilities } from './capabilities.ts';
import { isResult, type ObjectHandle, resultName } from './cryptoki.ts';
import { makeKeyPair } from './key-pairs.ts';
import { decryptIn, signIn } from './private-operations.ts';
import { Pkcs11Token, type Pkcs11TokenOptions, type TokenCall } from './token.ts';

/** A handle: this byte, then the CKA_ID of the key pair. */
const handleFormat = 1;
const idBytes = 16;
const largestCiphertextBytes = 2048;

/** What a token says of a ciphertext it does not like; SoftHSM says the last two of bad padding too. */
const badCiphertext: readonly string[] = [
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_DATA_INVALID',
  'CKR_DATA_LEN_RANGE',
  'CKR_FUNCTION_FAILED',
  'CKR_GENERAL_ERROR',
];

/** HSM-protected keys in a PKCS #11 token (REQ-327). What it can do was tried when it was opened. */
export class Pkcs11Module implements KeyModule {
  readonly capabilities: ModuleCapabilities;
  readonly #token: Pkcs11Token;

  private constructor(token: Pkcs11Token, capabilities: ModuleCapabilities) {
    this.#token = token;
    this.capabilities = capabilities;
  }

  /** @throws KannukiError KNK-KVT-0042, 0043 */
  static async open(options: Pkcs11TokenOptions): Promise<Pkcs11Module> {
    const token = await Pkcs11Token.open(options);
    try {
      return new Pkcs11Module(token, await probeCapabilities(token));
    } catch (error) {
      await token.close();
      throw error;
    }
  }

  /** @throws KannukiError KNK-KVT-0026 for a shape the token cannot make, 0042 */
  async generate(shape: KeyShape): Promise<ModuleKey> {
    const isKnown = this.capabilities.shapes.some((known) =>
      known.kty === 'RSA'
        ? shape.kty === 'RSA' && known.bits === shape.bits
        : shape.kty === 'EC' && known.crv === shape.crv,
    );
    const name = shape.kty === 'RSA' ? `an RSA key of ${shape.bits} bits` : `an EC key on ${shape.crv}`;
    if (!isKnown) throw this.#impossible(name);
    const id = randomBytes(idBytes);
    const { publicKey } = await this.#token.use((call) => makeKeyPair(call, this.#token.label, shape, id));
    return { publicKey, handle: Uint8Array.of(handleFormat, ...id) };
  }

  /** @throws KannukiError KNK-KVT-0003 where the token has no such key, 0018, 0026, 0042 */
  async decrypt(handle: Uint8Array, algorithm: EncryptionAlgorithm, ciphertext: Uint8Array): Promise<SecretBytes> {
    if (!this.capabilities.encryption.includes(algorithm)) throw this.#impossible(algorithm);
    const unfit = (): KannukiError =>
      new KannukiError('KNK-KVT-0018', { details: { key: nameOf(handle), call: 'unwrapKey', algorithm } });
    if (ciphertext.length === 0 || ciphertext.length > largestCiphertextBytes) throw unfit();
    return this.#token.use(async (call) => {
      const key = this.#privateKey(call, handle);
      try {
        return await decryptIn(call, key, algorithm, ciphertext);
      } catch (error) {
        // One answer for whatever is wrong with it: telling padding from length would be an oracle (Manger 2001).
        if (!isResult(error) || !badCiphertext.includes(resultName(error))) throw error;
        throw unfit();
      }
    });
  }

  /** @throws KannukiError KNK-KVT-0003 where the token has no such key, 0018 for a digest of the wrong length, 0026, 0042 */
  async sign(handle: Uint8Array, algorithm: SignatureAlgorithm, digest: Uint8Array): Promise<Uint8Array> {
    if (!this.capabilities.signature.includes(algorithm)) throw this.#impossible(algorithm);
    const expected = digestBytesOf(algorithm);
    const unfit = (): KannukiError =>
      new KannukiError('KNK-KVT-0018', { details: { key: nameOf(handle), call: 'sign', algorithm } });
    if (expected !== undefined && digest.length !== expected) throw unfit();
    return this.#token.use(async (call) => {
      const key = this.#privateKey(call, handle);
      try {
        return await signIn(call, key, algorithm, digest);
      } catch (error) {
        const misfits = [
          'CKR_DATA_LEN_RANGE',
          'CKR_KEY_TYPE_INCONSISTENT',
          'CKR_KEY_SIZE_RANGE',
          'CKR_KEY_FUNCTION_NOT_PERMITTED',
        ];
        throw isResult(error) && misfits.includes(resultName(error)) ? unfit() : error;
      }
    });
  }

  async destroy(handle: Uint8Array): Promise<void> {
    const id = idOf(handle);
    await this.#token.use(async ({ binding, cryptoki, session, find }) => {
      for (const object of find([{ type: binding.CKA_ID, value: id }])) cryptoki.C_DestroyObject(session, object);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#token.close();
  }

  /** Looked up each time: the token may have been restored or replaced meanwhile, and then old object handles mislead. */
  #privateKey({ binding, find }: TokenCall, handle: Uint8Array): ObjectHandle {
    const [key] = find([
      { type: binding.CKA_CLASS, value: binding.CKO_PRIVATE_KEY },
      { type: binding.CKA_ID, value: idOf(handle) },
    ]);
    if (key === undefined) throw notThere(handle);
    return key;
  }

  #impossible(what: string): KannukiError {
    const reason = `the token ${this.#token.label} cannot do it`;
    return new KannukiError('KNK-KVT-0026', { details: { what, reason } });
  }
}

/** An empty or short CKA_ID would match other keys. */
function idOf(handle: Uint8Array): Buffer {
  if (handle[0] !== handleFormat || handle.length !== 1 + idBytes) throw notThere(handle);
  return Buffer.from(handle.subarray(1));
}

function notThere(handle: Uint8Array): KannukiError {
  return new KannukiError('KNK-KVT-0003', { details: { object: `the private key ${nameOf(handle)} of the token` } });
}

function nameOf(handle: Uint8Array): string {
  return Buffer.from(handle.subarray(1, 1 + idBytes)).toString('hex');
}
