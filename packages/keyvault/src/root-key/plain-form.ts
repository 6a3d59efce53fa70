import { SecretBytes } from '@kannuki/core';
import { fileHead, refusedFile } from './file-format.ts';
import { type RawRootKey, rawRootKey, rootKeyBytes } from './memory-root-key.ts';

/** The root key as it is: what protects it is the mode of its file, or what systemd does with its credentials. */
export function encodePlain({ id, key }: RawRootKey): SecretBytes {
  const head = fileHead('file', id);
  // Not Buffer.alloc: see SecretBytes.copy.
  const content = Buffer.from(new ArrayBuffer(head.length + rootKeyBytes));
  head.copy(content);
  content.set(key.bytes, head.length);
  return SecretBytes.take(content);
}

/** @throws KannukiError KNK-KVT-0011 */
export function decodePlain(path: string, id: Uint8Array, body: Uint8Array): RawRootKey {
  if (body.length !== rootKeyBytes) throw refusedFile(path, 'it has not the length of its kind');
  return rawRootKey(id, SecretBytes.copy(body));
}
