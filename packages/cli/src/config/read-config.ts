import { readFile, stat } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';

/** Where the configuration is when nobody says otherwise. */
export const defaultConfigPath = '/etc/kannuki/kannuki.toml';

/** A configuration is written by hand: more than this is some other file. */
const sizeLimit = 1024 * 1024;

/**
 * The configuration (TOML 1.0) as a plain object; each part reads and checks its own keys.
 * Taken from the given path, else from `KANNUKI_CONFIG`, else from /etc; an empty one where that last is missing.
 * @throws KannukiError KNK-CLI-0009 where a file that was named is missing, too big or no TOML
 */
export async function readConfig(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Readonly<Record<string, unknown>>> {
  const named = path ?? environment.KANNUKI_CONFIG;
  const file = named ?? defaultConfigPath;
  const { parse } = await import('smol-toml');
  try {
    const { size } = await stat(file);
    if (size > sizeLimit) throw new Error(`is bigger than ${sizeLimit} bytes`);
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (named === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    const reason = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    throw new KannukiError('KNK-CLI-0009', { details: { path: file, reason }, cause: error });
  }
}
