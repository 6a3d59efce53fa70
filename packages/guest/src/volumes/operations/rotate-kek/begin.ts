import { keyIdFor, requireUsableKek } from '@kannuki/keyvault';
import { readPassphrase } from '../../steps/escrow.ts';
import type { Operation } from '../operation.ts';
import { headerOf, pendingFindings, refuseFor, refuseForeign } from '../rotation-checks.ts';

/**
 * Another KEK for the same passphrase: everything happens in the vault, disk and header are only read.
 * @param kek name of a key in the volume's vault, or an id, versioned or not; the version that it means now is the one that is used
 */
export function rotateKek(kek: string): Operation {
  return {
    name: 'rotate-kek',
    async begin(journal, context) {
      refuseForeign(journal);
      // The volume key in a header record is wrapped too, and there are two of them during a conversion.
      refuseFor(journal, pendingFindings(journal, await headerOf(journal, context)));
      const { id } = await requireUsableKek(context.vault, keyIdFor(context.vault.vaultUri, kek));
      using _passphrase = await readPassphrase(journal, context.vault);
      return { ...journal, kekRotation: { kekId: id, escrowTried: false, passphrase: null, headerRecord: null } };
    },
  };
}
