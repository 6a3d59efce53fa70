import { encodeBase64, SecretBytes } from '@kannuki/core';

/** Random bytes in a passphrase before encoding: 1016 bits, as ADE takes from /dev/urandom. */
const passphraseRandomBytes = 127;

/**
 * A new passphrase as ADE makes it: 127 random bytes in standard base64, 172 ASCII characters without a newline
 * (REQ-151), so that ADE's key file, `cryptsetup --key-file` and a person who types it all use the same bytes.
 * The caller disposes it.
 */
export function generatePassphrase(): SecretBytes {
  using random = SecretBytes.random(passphraseRandomBytes);
  return encodeBase64(random);
}
