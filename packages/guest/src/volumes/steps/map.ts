import { hasCode, KannukiError, type SecretBytes } from '@kannuki/core';
import { becomeBare } from '../../boot/entries.ts';
import type { Step, StepContext } from '../context.ts';
import { headerPlace } from '../header-place.ts';
import { assertSameContent, assertSameDevice } from '../identity.ts';
import { isFinished, type Journal } from '../journal.ts';
import { activeMapping } from '../mapping.ts';
import { makeMapperNodes } from '../mounting.ts';
import { mapIfPlain } from '../plain-mapping.ts';
import { prepareOpen, settleOpen } from '../recovery-guard.ts';
import { assertInUseIs, assertOwnHeaderOnDisk, assertRightDisk } from '../right-disk.ts';
import { startUnits, stopUnits } from '../services.ts';
import { probeBare } from '../uses/bare.ts';
import { useOf } from '../uses/uses.ts';
import { readPassphrase } from './escrow.ts';

/**
 * Puts dm-crypt below the volume: the one short time that it is not there. Nothing on the disk changes.
 * After a power cut the boot has already done it, and only the journal is behind.
 */
export const mapVolume: Step = async (journal, context) => {
  const use = useOf(journal);
  if ((await activeMapping(journal.name)) !== undefined || !(await use.isInUse(context.run))) {
    await openAndEnter(journal, context);
    return restartUnits(journal, context);
  }
  await assertInUseIs(journal, context.run);
  // The passphrase is fetched before services are stopped: should the vault be away, they go on.
  using passphrase = await readPassphrase(journal, context.vault);
  const stopping = await stopUnitsInTheWay(journal, context);
  await context.beforeUnmount(use.name);
  const start = performance.now();
  if (!(await use.leave(context.run))) throw new KannukiError('KNK-VOL-0003', { details: { point: use.name } });
  try {
    await openMapping(stopping, context, passphrase);
    await assertSameContent(stopping, context.run);
    await use.enter(mapperPath(journal), context.run);
    context.opened.add(journal.name);
  } catch (error) {
    await backToPlain(stopping, context);
    throw error;
  }
  const downtimeSeconds = Math.round(performance.now() - start) / 1000;
  context.onEvent({ kind: 'mounted', volume: journal.name, point: use.name, downtimeSeconds });
  return await restartUnits({ ...stopping, downtimeSeconds }, context);
};

/** Opens a volume and takes it into use; does what is missing of the two. */
export async function openAndEnter(journal: Journal, context: StepContext): Promise<void> {
  if ((await activeMapping(journal.name)) === undefined) {
    if (await openPlain(journal, context)) return await enterMapping(journal, context);
    using passphrase = await readPassphrase(journal, context.vault);
    await openMapping(journal, context, passphrase);
    return await enterOrClose(journal, context);
  }
  // The boot has opened it. Were its settling missing, an old header would be put back over newer work at the next boot.
  await settleOpen(journal, context.paths);
  await enterMapping(journal, context);
}

/** A mapping over another disk must not stay: it would hold that disk, and stand in the way when the right one is back. */
async function enterOrClose(journal: Journal, context: StepContext): Promise<void> {
  try {
    await enterMapping(journal, context);
  } catch (error) {
    if (hasCode(error, 'KNK-VOL-0004')) await context.cryptsetup.close(journal.name);
    throw error;
  }
}

async function enterMapping(journal: Journal, context: StepContext): Promise<void> {
  if (await hasBecomeBare(journal, context)) return;
  await assertSameContent(journal, context.run);
  const use = useOf(journal);
  if (await use.isInUse(context.run)) return;
  await use.enter(mapperPath(journal), context.run);
  context.onEvent({ kind: 'mounted', volume: journal.name, point: use.name, downtimeSeconds: null });
}

/**
 * Whether the owner has made a physical volume or a member of an array of the volume since it was encrypted (REQ-245 to REQ-249). Only the
 * right disk, opened with the right key, shows such a thing: through another one it would be noise. Then the volume's old entries go, and
 * who assembles and mounts what is on it is LVM or md.
 */
async function hasBecomeBare(journal: Journal, context: StepContext): Promise<boolean> {
  if (journal.use.kind !== 'mount' || !isFinished(journal)) return false;
  const seen = await probeBare(mapperPath(journal), context.run);
  if (seen === undefined) return false;
  const [type = '', uuid = ''] = seen.split(' ');
  const use = { kind: 'bare', name: useOf(journal).name, mapper: journal.name, type, uuid } as const;
  await becomeBare(journal, context);
  await context.store.save({ ...journal, use });
  return true;
}

export function mapperPath({ name }: Pick<Journal, 'name'>): string {
  return `/dev/mapper/${name}`;
}

/** Behind the last block of a decryption there is nothing to open: no passphrase, and so no vault, is needed. */
async function openPlain(journal: Journal, context: StepContext): Promise<boolean> {
  if (journal.operation !== 'decrypt') return false;
  await assertSameDevice(journal, context.run);
  const header = headerPlace(journal, context.paths);
  await prepareOpen(journal, context.paths);
  await context.finishingCheck(header, journal.device.sizeBytes);
  if (!(await mapIfPlain(journal, header, context.run))) return false;
  await settleOpen(journal, context.paths);
  return true;
}

export async function openMapping(journal: Journal, context: StepContext, passphrase: SecretBytes): Promise<void> {
  await assertSameDevice(journal, context.run);
  await assertOwnHeaderOnDisk(journal);
  const header = headerPlace(journal, context.paths);
  // In this order: a header that a cut recovery has left is put back before anything is concluded from it.
  await prepareOpen(journal, context.paths);
  await context.finishingCheck(header, journal.device.sizeBytes);
  await assertRightDisk(journal, passphrase, context);
  await context.cryptsetup.open(header, journal.device.path, journal.name, passphrase);
  await makeMapperNodes(context.run);
  await settleOpen(journal, context.paths);
}

/** No block has changed yet, so the volume as it was is a mount away. Another disk that answers to its name is left alone. */
async function backToPlain(journal: Journal, context: StepContext): Promise<void> {
  if ((await activeMapping(journal.name)) !== undefined) await context.cryptsetup.close(journal.name);
  const use = useOf(journal);
  if ((await use.probe(journal.device.path, context.run)) !== use.wanted) return;
  await use.enter(journal.device.path, context.run);
}

export async function stopUnitsInTheWay(journal: Journal, context: StepContext): Promise<Journal> {
  if (!journal.stopServices) return journal;
  const units = await useOf(journal).unitsInTheWay(context.run);
  // On record before the first is stopped: whatever happens then, they are started again.
  const stopping = { ...journal, stoppedUnits: [...new Set([...journal.stoppedUnits, ...units])] };
  await context.store.save(stopping);
  await stopUnits(context.run, units);
  return stopping;
}

export async function restartUnits(journal: Journal, context: StepContext): Promise<Journal> {
  await startUnits(context.run, journal.stoppedUnits);
  return { ...journal, stoppedUnits: [] };
}
