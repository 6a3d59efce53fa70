import type { Step } from '../../context.ts';
import { assertSameDevice } from '../../identity.ts';
import { readPassphrase } from '../../steps/escrow.ts';
import { carriesMark, writeMarkedImage } from '../../steps/marked-image.ts';
import { assertGivenUp, assertOurHeader, preparedHeader } from './format-of.ts';

/** The first ink. After a power cut the device is either the old volume or carries our mark; both are written, nothing else is. */
export const writeHeader: Step = async (journal, context) => {
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
