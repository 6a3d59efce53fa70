import { createHash } from 'node:crypto';
import { KannukiError } from '@kannuki/core';
import { rootKeyIdBytes } from './memory-root-key.ts';

export type RootKeyKind = 'file' | 'passphrase' | 'pkcs11';

/**
 * What every root key file begins and ends with: magic (8 bytes), id of the key (16), what its kind has to say, and the
 * first 8 bytes of the SHA-256 of all that, against accidents: whoever means harm can compute it, so it protects nothing.
 */
const magics: Readonly<Record<RootKeyKind, Buffer>> = {
  file: Buffer.from('KNKROOT1', 'latin1'),
  passphrase: Buffer.from('KNKROOTP', 'latin1'),
  pkcs11: Buffer.from('KNKROOTH', 'latin1'),
};

const magicBytes = 8;
export const bodyStart = magicBytes + rootKeyIdBytes;
const checkSumBytes = 8;
/** No kind needs more. */
export const largestRootKeyFile = 4096;

export interface RootKeyFileHead {
  readonly kind: RootKeyKind;
  /** 32 hexadecimal digits. */
  readonly id: string;
}

/** Magic and id: what the sealed part of a file is bound to, with the rest of what its kind says in the clear. */
export function fileHead(kind: RootKeyKind, id: Uint8Array): Buffer {
  return Buffer.concat([magics[kind], id]);
}

/** @param content head and body. @returns with the check sum behind it; the argument is not wiped */
export function withCheckSum(content: Uint8Array): Buffer {
  // Not Buffer.alloc: see SecretBytes.copy.
  const whole = Buffer.from(new ArrayBuffer(content.length + checkSumBytes));
  whole.set(content);
  checkSum(content).copy(whole, content.length);
  return whole;
}

/** @returns head and body, on the same memory. @throws KannukiError KNK-KVT-0011 */
export function checkedContent(path: string, content: Uint8Array): { head: RootKeyFileHead; body: Uint8Array } {
  const head = readHead(content);
  const end = content.length - checkSumBytes;
  if (head === undefined) throw refusedFile(path, 'it is not a root key file');
  if (end < bodyStart || !checkSum(content.subarray(0, end)).equals(content.subarray(end))) {
    throw refusedFile(path, 'its check sum is wrong');
  }
  return { head, body: content.subarray(bodyStart, end) };
}

/** @returns undefined for what is no root key file */
export function readHead(content: Uint8Array): RootKeyFileHead | undefined {
  if (content.length < bodyStart) return undefined;
  for (const kind of ['file', 'passphrase', 'pkcs11'] as const) {
    if (magics[kind].equals(content.subarray(0, magicBytes))) {
      return { kind, id: Buffer.from(content.subarray(magicBytes, bodyStart)).toString('hex') };
    }
  }
  return undefined;
}

function checkSum(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, checkSumBytes);
}

export function refusedFile(file: string, reason: string, cause?: unknown): KannukiError {
  return new KannukiError('KNK-KVT-0011', { details: { file, reason }, cause });
}
