import { hasCode } from '@kannuki/core';
import type { Step } from '../../context.ts';

/**
 * The secrets stay in the vault, for old copies of the disk may need them, but the vault gives them to nobody until their owner
 * enables them again (REQ-218). A vault that will not or cannot do that does not keep the volume from its end: it is said.
 */
export const retireSecrets: Step = async (journal, context) => {
  for (const name of [journal.secretName, `${journal.secretName}-header`, `${journal.secretName}-header-next`]) {
    try {
      await context.vault.disableSecret(name);
    } catch (error) {
      if (hasCode(error, 'KNK-KVT-0003')) continue;
      if (!hasCode(error, 'KNK-KVT-0002') && !hasCode(error, 'KNK-KVT-0026')) throw error;
      context.onEvent({
        kind: 'note',
        volume: journal.name,
        text: {
          en: `the secret ${name} stays enabled in ${context.vault.vaultUri}, which did not let this machine disable it; disable it there yourself`,
          ja: `シークレット ${name} は ${context.vault.vaultUri} で有効なままです (このマシンからの無効化は許可されませんでした)。コンテナー側で無効にしてください`,
        },
      });
    }
  }
  return journal;
};
