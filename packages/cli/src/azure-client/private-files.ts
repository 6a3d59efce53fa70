import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { KannukiError, SecretBytes, writeFileDurably } from '@kannuki/core';

/** Files that hold secrets or backups, for options that name them. */

/**
 * @param file `-` for standard input
 * @throws KannukiError KNK-AZC-0011 for a file that cannot be read or is longer than the limit
 */
export async function readBytes(file: string, limitBytes: number): Promise<SecretBytes> {
  try {
    const content = file === '-' ? await readInput(limitBytes) : await readBounded(file, limitBytes);
    if (content.length <= limitBytes) return SecretBytes.take(content);
    content.fill(0);
  } catch (error) {
    throw unusable(file, (error as NodeJS.ErrnoException).code ?? 'it cannot be read', error);
  }
  throw unusable(file, `it is longer than ${limitBytes} bytes`);
}

/** As `readBytes`, of a file with one line that people write: the end of line does not belong to the secret. */
export async function readLine(file: string, limitBytes: number): Promise<SecretBytes> {
  using whole = await readBytes(file, limitBytes + 2);
  const { bytes } = whole;
  let end = bytes.length;
  if (end > 0 && bytes[end - 1] === 0x0a) end -= 1;
  if (end > 0 && bytes[end - 1] === 0x0d) end -= 1;
  return SecretBytes.copy(bytes.subarray(0, end));
}

/** Writes a file of mode 0600 that survives a power cut; one that is there is replaced as a whole. */
export async function writePrivate(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFileDurably(resolve(file), bytes, 0o600);
  } catch (error) {
    throw unusable(file, (error as NodeJS.ErrnoException).code ?? 'it cannot be written', error);
  }
}

async function readBounded(file: string, limitBytes: number): Promise<Uint8Array> {
  const handle: FileHandle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    // A pipe has no size: it is read as it comes, up to the limit.
    return size > limitBytes ? new Uint8Array(limitBytes + 1) : await readFrom(handle.createReadStream(), limitBytes);
  } finally {
    await handle.close();
  }
}

function readInput(limitBytes: number): Promise<Uint8Array> {
  return readFrom(process.stdin, limitBytes);
}

/** At most one byte more than the limit, so that the caller sees that there was too much. */
async function readFrom(stream: AsyncIterable<Buffer | string>, limitBytes: number): Promise<Uint8Array> {
  const output = new Uint8Array(limitBytes + 1);
  let length = 0;
  for await (const chunk of stream) {
    if (typeof chunk === 'string') throw new TypeError('bytes are expected');
    const room = chunk.subarray(0, output.length - length);
    output.set(room, length);
    length += room.length;
    chunk.fill(0);
    if (length > limitBytes) break;
  }
  const exact = output.slice(0, length);
  output.fill(0);
  return exact;
}

function unusable(file: string, reason: string, cause?: unknown): KannukiError {
  return new KannukiError('KNK-AZC-0011', { details: { file, reason }, cause });
}
