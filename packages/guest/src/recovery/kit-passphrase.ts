import { randomBytes } from 'node:crypto';
import { KannukiError, SecretBytes } from '@kannuki/core';

/** No 0, 1, l and o: what is read from paper must be right at the first try. 32 characters, so that each carries 5 bits. */
const alphabet = Buffer.from('23456789abcdefghijkmnpqrstuvwxyz');
const groups = 7;
const groupLength = 4;

const shortest = 20;
/** What cryptsetup takes from a terminal. */
const longest = 512;
const fewestDifferent = 10;

/** A passphrase for paper, 140 bits of randomness: seven groups of four. The caller disposes it. */
export function generateKitPassphrase(): SecretBytes {
  using random = SecretBytes.take(randomBytes(groups * groupLength));
  const text = new Uint8Array(groups * groupLength + groups - 1).fill('-'.charCodeAt(0));
  for (const [index, byte] of random.bytes.entries()) {
    text[index + Math.floor(index / groupLength)] = alphabet[byte % alphabet.length] ?? 0;
  }
  return SecretBytes.take(text);
}

/**
 * What a person gives has to be worth the disk, and to be typed on whatever keyboard a rescue system has.
 * @throws KannukiError KNK-VOL-0205
 */
export function assertStrong({ bytes }: SecretBytes): void {
  if (bytes.length < shortest) refuse(`shorter than ${shortest} characters`);
  if (bytes.length > longest) refuse(`longer than ${longest} characters`);
  if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) refuse('a character that not every keyboard has');
  if (bytes[0] === 0x20 || bytes.at(-1) === 0x20) refuse('a space at its begin or end');
  if (new Set(bytes).size < fewestDifferent) refuse(`fewer than ${fewestDifferent} different characters`);
}

function refuse(reason: string): never {
  throw new KannukiError('KNK-VOL-0205', { details: { reason } });
}
