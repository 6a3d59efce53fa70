import { once } from 'node:events';
import type { ReadStream } from 'node:tty';
import { KannukiError, type Language, SecretBytes, type Text } from '@kannuki/core';
import { readSecretFile, withoutLineEnd } from '@kannuki/keyvault';

export interface ReadSecretOptions {
  /** Names it, in errors and where it is asked for. */
  readonly what: Text;
  readonly language: Language;
  /** File of mode 0600; undefined: standard input. */
  readonly file: string | undefined;
  /** A new one is asked for twice on a terminal, so that a slip of the fingers is noticed. */
  readonly twice: boolean;
}

const largestBytes = 1026;
const [endOfText, backspace, lineFeed, carriageReturn, interrupt, endOfInput] = [0x00, 0x08, 0x0a, 0x0d, 0x03, 0x04];
const del = 0x7f;

/**
 * A passphrase or PIN as bytes: from a file, from standard input up to its end, or typed unseen on a terminal. Never from
 * the command line or the environment, which others can see.
 * @returns the caller disposes it
 * @throws KannukiError KNK-KVT-0022, 0044
 */
export async function readSecret({ what, language, file, twice }: ReadSecretOptions): Promise<SecretBytes> {
  if (file !== undefined) return readSecretFile(file, what.en);
  if (!process.stdin.isTTY) return readAll(what);
  const first = await readTyped(`${what[language]}: `, what);
  if (!twice) return first;
  using again = await readTyped(language === 'ja' ? 'もう一度: ' : 'again: ', what);
  if (first.equals(again)) return first;
  first[Symbol.dispose]();
  throw invalid(what, 'the two that were typed differ');
}

async function readAll(what: Text): Promise<SecretBytes> {
  using whole = SecretBytes.take(Buffer.alloc(largestBytes));
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    const fits = length + chunk.length <= largestBytes;
    if (fits) whole.bytes.set(chunk, length);
    chunk.fill(0);
    length += chunk.length;
    if (!fits) throw invalid(what, 'it is too long');
  }
  using given = SecretBytes.copy(whole.bytes.subarray(0, length));
  return withoutLineEnd(given);
}

/** Byte by byte from the raw terminal: a line editor would make strings of it. */
async function readTyped(question: string, what: Text): Promise<SecretBytes> {
  const terminal = process.stdin as ReadStream;
  using typed = SecretBytes.take(Buffer.alloc(largestBytes));
  let length = 0;
  // Before the question: whoever answers at once must not see it on the screen either.
  terminal.setRawMode(true);
  terminal.resume();
  process.stderr.write(question);
  try {
    for (;;) {
      const [chunk] = (await once(terminal, 'data')) as [Buffer];
      using bytes = SecretBytes.take(chunk);
      for (const byte of bytes.bytes) {
        if (byte === interrupt) throw invalid(what, 'it was not given');
        if (byte === lineFeed || byte === carriageReturn || byte === endOfInput) {
          return SecretBytes.copy(typed.bytes.subarray(0, length));
        }
        if (byte === backspace || byte === del) length = Math.max(0, length - 1);
        else if (length === largestBytes) throw invalid(what, 'it is too long');
        else if (byte !== endOfText) typed.bytes[length++] = byte;
      }
    }
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    process.stderr.write('\n');
  }
}

function invalid(what: Text, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0022', { details: { what: what.en, reason } });
}
