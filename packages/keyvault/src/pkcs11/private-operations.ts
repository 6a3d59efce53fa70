import { SecretBytes } from '@kannuki/core';
import type { EncryptionAlgorithm, SignatureAlgorithm } from '../service/key-module.ts';
import { decryptMechanism, signing } from './algorithms.ts';
import type { ObjectHandle } from './cryptoki.ts';
import type { TokenCall } from './token.ts';

/** RSA of 4096 bits and ECDSA over P-521 fit, and larger keys of other tokens too. */
const outputBytes = 2048;

/** @returns the caller disposes it. @throws the binding's error */
export async function decryptIn(
  { binding, cryptoki, session }: TokenCall,
  key: ObjectHandle,
  algorithm: EncryptionAlgorithm,
  ciphertext: Uint8Array,
): Promise<SecretBytes> {
  const input = Buffer.from(ciphertext);
  using output = SecretBytes.take(Buffer.alloc(outputBytes));
  const mechanism = decryptMechanism(binding, algorithm);
  cryptoki.C_DecryptInit(session, mechanism, key);
  const plain = await cryptoki.C_DecryptAsync(session, input, output.bytes as Buffer);
  // Used here so that it is reachable until now: the binding works on its memory on another thread.
  input.fill(0);
  return SecretBytes.copy(plain);
}

/** @throws the binding's error */
export async function signIn(
  { binding, cryptoki, session }: TokenCall,
  key: ObjectHandle,
  algorithm: SignatureAlgorithm,
  digest: Uint8Array,
): Promise<Uint8Array> {
  const { mechanism, input } = signing(binding, algorithm, digest);
  const output = Buffer.alloc(outputBytes);
  cryptoki.C_SignInit(session, mechanism, key);
  const signature = await cryptoki.C_SignAsync(session, input, output);
  input.fill(0);
  return Uint8Array.from(signature);
}
