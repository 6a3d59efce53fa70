import type { Step } from '../../context.ts';
import { mapperPath } from '../../steps/map.ts';
import { ensureOpen } from './ensure-open.ts';
import { growToDevice } from './ext-tools.ts';

/**
 * The file system gets the whole disk again, in use. What it writes behind the front goes through dm-crypt from the first
 * byte on, so this need not wait for the conversion. ext4 journals the growing: after a power cut it is done again.
 */
export const growBack: Step = async (journal, context) => {
  await ensureOpen(journal, context);
  await growToDevice(context.run, mapperPath(journal), context.lock);
  return journal;
};
