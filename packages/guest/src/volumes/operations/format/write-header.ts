import type { Step } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import { readPassphrase } from '../../steps/escrow.ts';
import { carriesMark, writeMarkedImage } from '../../steps/marked-image.ts';
import { useOf } from '../../uses/uses.ts';
import { assertGivenUp, assertOurHeader, formatOf, preparedHeader } from './format-of.ts';
import { letGo } from './let-go.ts';

/**
 * The first ink. After a power cut the device is either the old volume or carries our mark; both are written, nothing else is. The
 * old volume is whole until then and fstab names it, so that a boot has mounted it again: it is let go once more, with the same last look.
 */
export const writeHeader: Step = async (before, context) => {
  const isOld = formatOf(before).before !== null && (await useOf(before).isInUse(context.run));
  const journal = isOld ? await letGo(before, context) : before;
  const { path } = journal.device;
  const image = await preparedHeader(journal, context.paths);
  await assertSameDevice(journal, context.run);
  if (!(await carriesMark(path, image))) await assertGivenUp(journal, context.run);
  await writeMarkedImage(path, image);
  await assertOurHeader(journal, context.run);
  using passphrase = await readPassphrase(journal, context.vault);
  await context.cryptsetup.testPassphrase(path, path, passphrase);
  return journal;
};
