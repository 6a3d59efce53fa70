import { hasCode, KannukiError, type SecretBytes } from '@kannuki/core';
import { type Luks2HeaderContent, openKeyslot, readLuks2Header } from '@kannuki/formats';
import { readHeaderFile } from '../volumes/header-file.ts';

/** What a header file is worth now. */
export type PresentHeader =
  /** The passphrase opens it. */
  | { readonly state: 'good'; readonly content: Luks2HeaderContent }
  /** Its metadata is whole, and true; no key slot opens. */
  | { readonly state: 'locked-out'; readonly content: Luks2HeaderContent; readonly problem: string }
  | { readonly state: 'damaged'; readonly problem: string }
  | { readonly state: 'missing' };

/**
 * Looks at a header file without changing it. One whole copy of the two is enough: cryptsetup mends the other one itself.
 * @param luksUuid that the header must have; a whole header of another volume counts as damaged
 */
export async function judgeHeader(
  path: string,
  luksUuid: string | null,
  passphrase: SecretBytes,
): Promise<PresentHeader> {
  let bytes: Uint8Array;
  try {
    bytes = await readHeaderFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'missing' };
    // A bad sector below the file: what is there cannot be read, and that is damage.
    if ((error as NodeJS.ErrnoException).code === 'EIO') return { state: 'damaged', problem: 'input/output error' };
    throw error;
  }
  let content: Luks2HeaderContent;
  try {
    content = readLuks2Header(bytes).newest;
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    return { state: 'damaged', problem: error.describe('en') };
  }
  if (luksUuid !== null && content.uuid !== luksUuid) {
    return { state: 'damaged', problem: `it is the header of ${content.uuid}` };
  }
  try {
    openKeyslot(bytes, passphrase)[Symbol.dispose]();
  } catch (error) {
    if (!hasCode(error, 'KNK-FMT-0104') && !hasCode(error, 'KNK-FMT-0105')) throw error;
    return { state: 'locked-out', content, problem: error.describe('en') };
  }
  return { state: 'good', content };
}
