import { randomBytes } from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import type { RootKeyToken, TokenMethod, TokenSealed } from '../root-key/token-form.ts';
import { decryptMechanism } from './algorithms.ts';
import { type Binding, isResult, type Mechanism, type Template, tokenFailure } from './cryptoki.ts';
import { Pkcs11Token, type Pkcs11TokenOptions, type TokenCall } from './token.ts';

const keyLabel = 'kannuki root key';
const idBytes = 16;
const gcmNonceBytes = 12;
const gcmTagBytes = 16;
const cbcIvBytes = 16;
/** A sealed root key of any method, and RSA of 4096 bits. */
const largestOutput = 1024;

/** In the order of preference. */
const methods: readonly TokenMethod[] = ['AES-GCM', 'AES-CBC-PAD', 'RSA-OAEP'];

/**
 * Keeps root keys in a token: each is sealed under a key of its own there, AES-256 or, where the token has no AES,
 * RSA-2048 with OAEP and SHA-1, which cannot be taken out.
 */
export class TokenRootKeys implements RootKeyToken {
  readonly label: string;
  readonly #token: Pkcs11Token;

  private constructor(token: Pkcs11Token) {
    this.label = token.label;
    this.#token = token;
  }

  /** @throws KannukiError KNK-KVT-0042, 0043 */
  static async open(options: Pkcs11TokenOptions): Promise<TokenRootKeys> {
    return new TokenRootKeys(await Pkcs11Token.open(options));
  }

  async seal(key: SecretBytes): Promise<TokenSealed> {
    const mechanisms = this.#token.mechanisms();
    const b = this.#token.binding;
    const needs: Readonly<Record<TokenMethod, readonly number[]>> = {
      'AES-GCM': [b.CKM_AES_KEY_GEN, b.CKM_AES_GCM],
      'AES-CBC-PAD': [b.CKM_AES_KEY_GEN, b.CKM_AES_CBC_PAD],
      'RSA-OAEP': [b.CKM_RSA_PKCS_KEY_PAIR_GEN, b.CKM_RSA_PKCS_OAEP],
    };
    for (const method of methods) {
      if (!needs[method].every((mechanism) => mechanisms.has(mechanism))) continue;
      const sealed = await this.#sealWith(method, key);
      if (sealed !== undefined) return sealed;
    }
    throw tokenFailure(this.label, 'it can neither AES nor RSA-OAEP');
  }

  async open({ method, keyId, sealed }: TokenSealed): Promise<SecretBytes | undefined> {
    // An empty id would match any key.
    if (keyId.length === 0) return undefined;
    return this.#token.use(async (call) => {
      const { binding: b, cryptoki, session, find } = call;
      const [key] = find([
        { type: b.CKA_CLASS, value: method === 'RSA-OAEP' ? b.CKO_PRIVATE_KEY : b.CKO_SECRET_KEY },
        { type: b.CKA_ID, value: Buffer.from(keyId) },
      ]);
      if (key === undefined) throw tokenFailure(this.label, 'the key that seals the root key is not in it');
      const { mechanism, text } = opening(b, method, sealed);
      const input = Buffer.from(text);
      using output = SecretBytes.take(Buffer.alloc(largestOutput));
      try {
        cryptoki.C_DecryptInit(session, mechanism, key);
        const plain = await cryptoki.C_DecryptAsync(session, input, output.bytes as Buffer);
        // Also keeps it reachable until now (see Pkcs11Token.use).
        input.fill(0);
        return SecretBytes.copy(plain);
      } catch (error) {
        if (isResult(error) && /CKR_(?:ENCRYPTED_DATA|GENERAL_ERROR|FUNCTION_FAILED|DATA_)/.test(String(error)))
          return undefined;
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    await this.#token.close();
  }

  /** @returns undefined where the token lists the mechanism but does not do it, or does it wrong */
  async #sealWith(method: TokenMethod, key: SecretBytes): Promise<TokenSealed | undefined> {
    const keyId = randomBytes(idBytes);
    try {
      const sealed = await this.#token.use((call) => sealIn(call, method, keyId, key));
      const result = { method, keyLabel, keyId, sealed };
      using again = await this.open(result);
      if (again?.equals(key) === true) return result;
    } catch (error) {
      // The last one's failure is the one to tell.
      if (method === methods.at(-1)) throw error;
    }
    await this.#destroy(keyId);
    return undefined;
  }

  async #destroy(keyId: Buffer): Promise<void> {
    await this.#token.use(async ({ binding, cryptoki, session, find }) => {
      for (const object of find([{ type: binding.CKA_ID, value: keyId }])) cryptoki.C_DestroyObject(session, object);
    });
  }
}

async function sealIn(call: TokenCall, method: TokenMethod, keyId: Buffer, key: SecretBytes): Promise<Uint8Array> {
  const { binding: b, cryptoki, session } = call;
  const common: Template = [
    { type: b.CKA_TOKEN, value: true },
    { type: b.CKA_LABEL, value: keyLabel },
    { type: b.CKA_ID, value: keyId },
  ];
  const kept: Template = [
    { type: b.CKA_PRIVATE, value: true },
    { type: b.CKA_SENSITIVE, value: true },
    { type: b.CKA_EXTRACTABLE, value: false },
    { type: b.CKA_DECRYPT, value: true },
  ];
  const encrypt = { type: b.CKA_ENCRYPT, value: true };
  const own = Buffer.from(key.bytes);
  using _ = SecretBytes.take(own);
  const output = Buffer.alloc(largestOutput);
  if (method === 'RSA-OAEP') {
    const size = { type: b.CKA_MODULUS_BITS, value: 2048 };
    const exponent = { type: b.CKA_PUBLIC_EXPONENT, value: Buffer.of(1, 0, 1) };
    const publicTemplate = [...common, encrypt, size, exponent];
    const generation = { mechanism: b.CKM_RSA_PKCS_KEY_PAIR_GEN };
    const pair = await cryptoki.C_GenerateKeyPairAsync(session, generation, publicTemplate, [...common, ...kept]);
    cryptoki.C_EncryptInit(session, decryptMechanism(b, 'RSA-OAEP'), pair.publicKey);
    return Uint8Array.from(cryptoki.C_Encrypt(session, own, output));
  }
  const template = [...common, ...kept, encrypt, { type: b.CKA_VALUE_LEN, value: 32 }];
  const secret = cryptoki.C_GenerateKey(session, { mechanism: b.CKM_AES_KEY_GEN }, template);
  const nonce = randomBytes(method === 'AES-GCM' ? gcmNonceBytes : cbcIvBytes);
  cryptoki.C_EncryptInit(session, aesMechanism(b, method, nonce), secret);
  return Buffer.concat([nonce, cryptoki.C_Encrypt(session, own, output)]);
}

function opening(b: Binding, method: TokenMethod, sealed: Uint8Array): { mechanism: Mechanism; text: Uint8Array } {
  if (method === 'RSA-OAEP') return { mechanism: decryptMechanism(b, 'RSA-OAEP'), text: sealed };
  const nonceBytes = method === 'AES-GCM' ? gcmNonceBytes : cbcIvBytes;
  const nonce = Buffer.from(sealed.subarray(0, nonceBytes));
  return { mechanism: aesMechanism(b, method, nonce), text: sealed.subarray(nonceBytes) };
}

function aesMechanism(b: Binding, method: 'AES-GCM' | 'AES-CBC-PAD', nonce: Buffer): Mechanism {
  if (method === 'AES-CBC-PAD') return { mechanism: b.CKM_AES_CBC_PAD, parameter: nonce };
  const parameter = {
    type: b.CK_PARAMS_AES_GCM_v240,
    iv: nonce,
    ivBits: gcmNonceBytes * 8,
    tagBits: gcmTagBytes * 8,
  };
  return { mechanism: b.CKM_AES_GCM, parameter };
}
