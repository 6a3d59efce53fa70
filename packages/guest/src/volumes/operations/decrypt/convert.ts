import { KannukiError, syncFile } from '@kannuki/core';
import { type ReencryptionProgress, readLuks2Header, reencryptionProgress } from '@kannuki/formats';
import { writeConversionUnits } from '../../../boot/entries.ts';
import type { Step, StepContext } from '../../context.ts';
import { readHeaderFile } from '../../header-file.ts';
import { headerPlace } from '../../header-place.ts';
import { assertSameDevice } from '../../identity.ts';
import type { Journal } from '../../journal.ts';
import { makeMapperNodes } from '../../mounting.ts';
import { isPlainHeader } from '../../plain-mapping.ts';
import { convertVolume } from '../../steps/convert.ts';
import { escrowHeader, readPassphrase } from '../../steps/escrow.ts';
import { openAndEnter } from '../../steps/map.ts';

/** Header and disk are about to change together, so the boot gets its guards back (recovery-guard.ts). */
export const prepareBoot: Step = async (journal, context) => {
  await writeConversionUnits(journal, context);
  return journal;
};

/** Writes into the header what is to become of the volume. No block changes yet; done again it finds its own work. */
export const startDecryption: Step = async (journal, context) => {
  await openAndEnter(journal, context);
  await assertSameDevice(journal, context.run);
  context.opened.add(journal.name);
  const header = headerPlace(journal, context.paths);
  if (await isDecryptionBegun(journal, context)) {
    const isOver = await isPlainHeader(header, journal.device.sizeBytes);
    return isOver ? journal : await escrowHeader(journal, context);
  }
  using passphrase = await readPassphrase(journal, context.vault);
  const { device, name } = journal;
  const { resilience } = journal.header;
  await context.cryptsetup.beginDecryption({ header, device: device.path, name, passphrase, resilience });
  await syncFile(header);
  // A record of before would call the disk encrypted to its end: whoever made a header of it would read the plain part wrongly.
  return await escrowHeader(journal, context);
};

/** Ends with every block plain and on the disk itself, not in its cache: only then may anything go that the ciphertext needs. */
export const decryptVolume: Step = async (journal, context) => {
  const converted = await convertVolume(journal, context);
  await syncFile(journal.device.path);
  // cryptsetup lets the mapping vanish with its last user; without udev it has taken its node away already.
  await makeMapperNodes(context.run);
  if (!(await isPlainHeader(headerPlace(journal, context.paths), journal.device.sizeBytes))) {
    throw new KannukiError('KNK-VOL-0005', { details: { volume: journal.name } });
  }
  return converted;
};

/**
 * Whether the header is on its way to plain, or there.
 * @throws KannukiError KNK-VOL-0005 when it is on its way to something else
 */
export async function isDecryptionBegun(journal: Journal, context: Pick<StepContext, 'paths'>): Promise<boolean> {
  const header = headerPlace(journal, context.paths);
  const { pending, mode } = await progressOf(header, journal.device.sizeBytes);
  if (!pending) return await isPlainHeader(header, journal.device.sizeBytes);
  if (mode !== 'decrypt') throw new KannukiError('KNK-VOL-0005', { details: { volume: journal.name } });
  return true;
}

async function progressOf(header: string, deviceSizeBytes: number): Promise<ReencryptionProgress> {
  return reencryptionProgress(readLuks2Header(await readHeaderFile(header)).newest.metadata, deviceSizeBytes);
}
