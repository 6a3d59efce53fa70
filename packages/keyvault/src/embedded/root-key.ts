import type { SecretBytes } from '@kannuki/core';

/**
 * The key at the top: it seals the data key of every object and nothing else. Where it comes from (a file, a systemd
 * credential, a passphrase, a PKCS#11 token) is the business of `root-key/`.
 */
export interface RootKey {
  /** Names the key, tells nothing about it: 32 hexadecimal digits. */
  readonly id: string;
  /** @param context what the result is bound to; `open` needs the same. @throws KannukiError KNK-KVT-0027 once closed */
  seal(dataKey: SecretBytes, context: Uint8Array): Promise<Uint8Array>;
  /**
   * @returns undefined where key, context or bytes do not fit; the caller disposes the result
   * @throws KannukiError KNK-KVT-0027 once closed
   */
  open(sealed: Uint8Array, context: Uint8Array): Promise<SecretBytes | undefined>;
  /** Lets go of the key: nothing is sealed or opened after it. */
  close(): void;
}
