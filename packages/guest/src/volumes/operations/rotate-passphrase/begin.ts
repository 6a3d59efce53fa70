import { hasCode, type SecretBytes } from '@kannuki/core';
import { openKeyslot } from '@kannuki/formats';
import { readPassphrase } from '../../steps/escrow.ts';
import type { Operation } from '../operation.ts';
import { type HeaderNow, headerOf, pendingFindings, refuseFor, refuseForeign } from '../rotation-checks.ts';

/** A new passphrase in the place of the old one; no block of the volume changes, and it may be in use. */
export const rotatePassphrase: Operation = {
  name: 'rotate-passphrase',
  async begin(journal, context) {
    refuseForeign(journal);
    const header = await headerOf(journal, context);
    refuseFor(journal, pendingFindings(journal, header));
    using passphrase = await readPassphrase(journal, context.vault);
    const oldSlot = slotOf(header, passphrase);
    const passphraseRotation = { oldSlot, newSlot: null, escrowTried: false, added: null };
    return { ...journal, passphraseRotation };
  },
};

/** The slot that a passphrase opens. @throws KannukiError KNK-FMT-0104, 0105 when none does */
export function slotOf({ bytes, slots }: HeaderNow, passphrase: SecretBytes): number {
  for (const keyslot of slots) {
    try {
      using _volumeKey = openKeyslot(bytes, passphrase, { keyslot });
      return keyslot;
    } catch (error) {
      // Another passphrase's, or one for people with a derivation of its own.
      if (!hasCode(error, 'KNK-FMT-0104') && !hasCode(error, 'KNK-FMT-0105')) throw error;
    }
  }
  using _volumeKey = openKeyslot(bytes, passphrase);
  throw new Error('a passphrase opened no slot and any slot');
}
