import { hasCode } from '@kannuki/core';
import type { CryptsetupFact } from './model.ts';
import type { FactSources } from './sources.ts';

/** @returns null when cryptsetup is not installed */
export async function readCryptsetup(sources: FactSources): Promise<CryptsetupFact | null> {
  try {
    const { stdout } = await sources.run('cryptsetup', ['--version'], { timeoutSeconds: 30 });
    return { version: parseCryptsetupVersion(stdout), packageVersion: await packageVersion(sources) };
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return null;
    throw error;
  }
}

/**
 * cryptsetup has no JSON for its version. The line is taken only in the forms that releases have had.
 * @example parseCryptsetupVersion('cryptsetup 2.6.1 flags: UDEV BLKID KEYRING KERNEL_CAPI \n') // [2, 6, 1]
 */
export function parseCryptsetupVersion(text: string): CryptsetupFact['version'] {
  const match = /^cryptsetup (\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:-rc\d{1,2})?(?: flags: [A-Z0-9_ -]*)?\n?$/.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** How dpkg-query is asked for a field; no template of ours. */
const debianFormat = `--showformat=$\{Version}`;

/** Version of the package, from whichever of the two package managers this machine has. */
async function packageVersion(sources: FactSources): Promise<string | null> {
  const dpkg = await answer(sources, 'dpkg-query', ['--show', debianFormat, 'cryptsetup-bin']);
  return dpkg ?? (await answer(sources, 'rpm', ['--query', '--queryformat=%{VERSION}-%{RELEASE}', 'cryptsetup']));
}

async function answer(sources: FactSources, program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { exitCode, stdout } = await sources.run(program, args, { accept: [0, 1, 2], timeoutSeconds: 60 });
    return exitCode === 0 && /^[\w.:+~^-]{1,100}$/.test(stdout.trim()) ? stdout.trim() : null;
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return null;
    throw error;
  }
}
