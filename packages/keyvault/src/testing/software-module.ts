import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  privateDecrypt,
  privateEncrypt,
  randomUUID,
} from 'node:crypto';
import { SecretBytes } from '@kannuki/core';
import { publicJwk } from '../embedded/key-work/public-key.ts';
import type { EncryptionAlgorithm, KeyModule, KeyShape, ModuleKey } from '../service/key-module.ts';

/** Keeps keys in this process under names, as a token does: for what the vault has to do with any module. */
export class SoftwareModule implements KeyModule {
  readonly capabilities = {
    shapes: [{ kty: 'RSA', bits: 2048 }] as const,
    encryption: ['RSA-OAEP'] as const,
    signature: ['RS256'] as const,
  };
  readonly keys = new Map<string, Buffer>();

  async generate(shape: KeyShape): Promise<ModuleKey> {
    if (shape.kty !== 'RSA') throw new TypeError('this module makes RSA keys only');
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: shape.bits,
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    });
    const name = randomUUID();
    this.keys.set(name, privateKey);
    return { publicKey: publicJwk(publicKey), handle: Buffer.from(name) };
  }

  async decrypt(handle: Uint8Array, _algorithm: EncryptionAlgorithm, ciphertext: Uint8Array): Promise<SecretBytes> {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return SecretBytes.take(privateDecrypt({ key: this.#key(handle), padding, oaepHash: 'sha1' }, ciphertext));
  }

  async sign(handle: Uint8Array, _algorithm: string, digest: Uint8Array): Promise<Uint8Array> {
    const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest]);
    return privateEncrypt({ key: this.#key(handle), padding: constants.RSA_PKCS1_PADDING }, info);
  }

  async destroy(handle: Uint8Array): Promise<void> {
    this.keys.delete(Buffer.from(handle).toString());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keys.clear();
  }

  #key(handle: Uint8Array) {
    const key = this.keys.get(Buffer.from(handle).toString());
    if (key === undefined) throw new TypeError('there is no such key in this module');
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  }
}
