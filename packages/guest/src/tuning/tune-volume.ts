import { KannukiError } from '@kannuki/core';
import { found } from '../checks/finding.ts';
import type { StepContext } from '../volumes/context.ts';
import type { Journal } from '../volumes/journal.ts';
import { useOf } from '../volumes/uses/uses.ts';
import { applyTuning } from './apply-tuning.ts';

/** Applies what was chosen when the encryption was planned. The volume is encrypted by now: slower than it could be is no failure. */
export async function tuneVolume(journal: Journal, context: StepContext): Promise<void> {
  if (journal.tuning === undefined) return;
  try {
    await applyTuning(journal, journal.tuning, context);
  } catch (error) {
    if (!(error instanceof KannukiError) || !error.code.startsWith('KNK-CMD-')) throw error;
    const finding = found(
      'note',
      'REQ-152',
      useOf(journal).name,
      {
        en: `dm-crypt did not take its tuning (${error.message}); the volume works with the settings of cryptsetup`,
        ja: `dm-crypt の調整を適用できませんでした (${error.message})。ボリュームは cryptsetup の既定の設定で動作します`,
      },
      { en: 'nothing has to be done', ja: '対処は不要です' },
    );
    context.onEvent({ kind: 'finding', finding });
  }
}
