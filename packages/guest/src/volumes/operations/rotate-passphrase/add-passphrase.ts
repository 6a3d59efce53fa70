import { KannukiError, type SecretBytes } from '@kannuki/core';
import { openKeyslot } from '@kannuki/formats';
import { generatePassphrase, releasePassphrase } from '@kannuki/keyvault';
import type { Step, StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { escrowAsNewest, readPassphrase } from '../../steps/escrow.ts';
import { headerOf } from '../rotation-checks.ts';
import { passphraseRotationOf } from './passphrase-rotation.ts';
import { backToOldPassphrase } from './take-back.ts';

/**
 * Adds a key slot for a new passphrase, and only then puts the passphrase into the vault: from its first moment there, the newest
 * version, which a server gives to the next boot, opens the volume. It is on no disk in between, so a power cut leaves a
 * slot that nobody can open, and the step begins anew with another passphrase.
 */
export const addPassphrase: Step = async (journal, context) => {
  const before = await backToOldPassphrase(journal, context);
  const { path, slots } = await headerOf(before, context);
  const slot = freeSlot(before, slots);
  const begun = { ...before, passphraseRotation: { ...passphraseRotationOf(before), newSlot: slot } };
  await context.store.save(begun);
  const device = begun.device.path;
  using oldPassphrase = await readPassphrase(begun, context.vault);
  using newPassphrase = generatePassphrase();
  await context.cryptsetup.addKeyslot({
    header: path,
    device,
    keyslot: slot,
    passphrase: oldPassphrase,
    newPassphrase,
  });
  await assertOpens(begun, context, slot, newPassphrase);
  const rotation = { ...passphraseRotationOf(begun), escrowTried: true };
  await context.store.save({ ...begun, passphraseRotation: rotation });
  // With the version of the KEK that the old one has: another KEK is an operation of its own.
  const kekId = begun.passphrase?.kekId ?? null;
  const passphrase = await escrowAsNewest(begun, context.vault, newPassphrase, kekId);
  using fromVault = await releasePassphrase(context.vault, passphrase);
  await assertOpens(begun, context, slot, fromVault);
  return { ...begun, passphraseRotation: { ...rotation, added: { slot, passphrase } } };
};

/** Slots of LUKS2: 0 to 31. */
const slotLimit = 32;

/** From the last one down: cryptsetup(8) gives the first free one to a person who adds a key while we wait for the vault. */
function freeSlot(journal: Journal, taken: readonly number[]): number {
  for (let slot = slotLimit - 1; slot >= 0; slot--) if (!taken.includes(slot)) return slot;
  throw new KannukiError('KNK-VOL-0031', { details: { volume: journal.name, detail: 'all 32 key slots are taken' } });
}

/** By our own reading of the header and by cryptsetup's: both must find that the slot gives the volume's key. */
export async function assertOpens(
  journal: Journal,
  context: StepContext,
  keyslot: number,
  passphrase: SecretBytes,
): Promise<void> {
  const { path, bytes } = await headerOf(journal, context);
  using _volumeKey = openKeyslot(bytes, passphrase, { keyslot });
  await context.cryptsetup.testPassphrase(path, journal.device.path, passphrase, keyslot);
}
