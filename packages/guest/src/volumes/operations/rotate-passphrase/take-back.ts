import { KannukiError } from '@kannuki/core';
import type { StepContext } from '../../context.ts';
import type { Journal } from '../../journal.ts';
import { escrowAsNewest, readPassphrase } from '../../steps/escrow.ts';
import { headerOf, settled } from '../rotation-checks.ts';
import { passphraseRotationOf } from './passphrase-rotation.ts';

/**
 * Takes the rotation back: the old passphrase is the newest in the vault and the only new thing is gone from the header. That it goes
 * back is on record before the vault hears of it: a later start that went forward from a further step would end with an old
 * passphrase, whose slot is gone, as the newest in the vault, which is what a server gives to the next boot.
 */
export async function undoPassphraseRotation(journal: Journal, context: StepContext): Promise<void> {
  const goingBack = { ...journal, step: 'planned' };
  await context.store.save(goingBack);
  await context.store.save(settled(await backToOldPassphrase(goingBack, context)));
}

/**
 * Makes everything as it was before the rotation: first the vault, as a new version of the old passphrase where a newer one
 * may be there, then the header. In between both open the volume. Can be repeated; without a vault it fails before it changes anything.
 */
export async function backToOldPassphrase(journal: Journal, context: StepContext): Promise<Journal> {
  const rotation = passphraseRotationOf(journal);
  let current = journal;
  if (rotation.escrowTried) {
    using old = await readPassphrase(journal, context.vault);
    const passphrase = await escrowAsNewest(journal, context.vault, old, journal.passphrase?.kekId ?? null);
    current = { ...journal, passphrase, passphraseRotation: { ...rotation, escrowTried: false, added: null } };
    await context.store.save(current);
  }
  const { oldSlot, newSlot } = rotation;
  if (newSlot === null) return current;
  const { slots } = await headerOf(current, context);
  if (slots.includes(newSlot) && !slots.includes(oldSlot)) {
    const detail = `key slot ${oldSlot}, of the old passphrase, is gone`;
    throw new KannukiError('KNK-VOL-0031', { details: { volume: journal.name, detail } });
  }
  await removeSlots(current, context, [newSlot]);
  current = { ...current, passphraseRotation: { ...passphraseRotationOf(current), newSlot: null } };
  await context.store.save(current);
  return current;
}

/** Removes key slots and looks whether they are gone. @throws KannukiError KNK-VOL-0031 when one is still there */
export async function removeSlots(journal: Journal, context: StepContext, gone: readonly number[]): Promise<void> {
  const { path, slots } = await headerOf(journal, context);
  for (const slot of gone.filter((one) => slots.includes(one))) {
    await context.cryptsetup.killKeyslot(path, journal.device.path, slot);
  }
  const left = (await headerOf(journal, context)).slots.filter((slot) => gone.includes(slot));
  if (left.length === 0) return;
  const detail = `key slots ${left.join(', ')} should be gone and are there`;
  throw new KannukiError('KNK-VOL-0031', { details: { volume: journal.name, detail } });
}
