import { KannukiError, type SecretBytes } from '@kannuki/core';
import type { Step, StepContext } from './context.ts';
import { readPassphrase } from './escrow-steps.ts';
import { assertSameDevice, assertSameFileSystem } from './identity.ts';
import type { Journal } from './journal.ts';
import { activeMapping } from './mapping.ts';
import { makeMapperNodes, mountedDeviceNumber, mountVolume, unmountVolume } from './mounting.ts';
import { unitsInTheWay } from './open-files.ts';
import { headerPath } from './paths.ts';
import { prepareOpen, settleOpen } from './recovery-guard.ts';
import { startUnits, stopUnits } from './services.ts';

/**
 * Puts dm-crypt below the file system: the one short time that the volume is not there. Nothing on the disk changes.
 * After a power cut the boot has already done it, and only the journal is behind.
 */
export const mapVolume: Step = async (journal, context) => {
  if (
    (await activeMapping(journal.name)) !== undefined ||
    (await mountedDeviceNumber(context.run, journal.mount.point)) === undefined
  ) {
    await openAndMount(journal, context);
    return restartUnits(journal, context);
  }
  const stopping = await stopUnitsInTheWay(journal, context);
  // The passphrase is fetched before the clock of the downtime starts to run.
  using passphrase = await readPassphrase(stopping, context.vault);
  await context.beforeUnmount(journal.mount.point);
  const start = performance.now();
  if (!(await unmountVolume(context.run, journal.mount.point))) {
    throw new KannukiError('KNK-VOL-0003', { details: { point: journal.mount.point } });
  }
  try {
    await mapAndMount(stopping, context, passphrase);
  } catch (error) {
    await backToPlain(stopping, context);
    throw error;
  }
  const downtimeSeconds = Math.round(performance.now() - start) / 1000;
  context.onEvent({ kind: 'mounted', volume: journal.name, point: journal.mount.point, downtimeSeconds });
  return await restartUnits({ ...stopping, downtimeSeconds }, context);
};

/** Opens and mounts a volume that is neither yet; does what is missing of the two. */
export async function openAndMount(journal: Journal, context: StepContext): Promise<void> {
  if ((await activeMapping(journal.name)) === undefined) {
    using passphrase = await readPassphrase(journal, context.vault);
    await openMapping(journal, context, passphrase);
  } else {
    // The boot has opened it. Were its settling missing, an old header would be put back over newer work at the next boot.
    await settleOpen(headerPath(context.paths, journal.name), journal.device.path);
  }
  await assertSameFileSystem(journal, context.run);
  if ((await mountedDeviceNumber(context.run, journal.mount.point)) === undefined) {
    await mountMapping(journal, context);
    context.onEvent({ kind: 'mounted', volume: journal.name, point: journal.mount.point, downtimeSeconds: null });
  }
}

async function mapAndMount(journal: Journal, context: StepContext, passphrase: SecretBytes): Promise<void> {
  await openMapping(journal, context, passphrase);
  await assertSameFileSystem(journal, context.run);
  await mountMapping(journal, context);
  context.opened.add(journal.name);
}

async function openMapping(journal: Journal, context: StepContext, passphrase: SecretBytes): Promise<void> {
  await assertSameDevice(journal, context.run);
  const header = headerPath(context.paths, journal.name);
  // In this order: a header that a cut recovery has left is put back before anything is concluded from it.
  await prepareOpen(header, journal.device.sizeBytes);
  await context.finishingCheck(header, journal.device.sizeBytes);
  await context.cryptsetup.open(header, journal.device.path, journal.name, passphrase);
  await makeMapperNodes(context.run);
  await settleOpen(header, journal.device.path);
}

async function mountMapping(journal: Journal, context: StepContext): Promise<void> {
  await mountVolume(context.run, {
    device: `/dev/mapper/${journal.name}`,
    point: journal.mount.point,
    fileSystem: journal.fileSystem.type,
    options: journal.mount.options,
  });
}

/** No block has changed yet, so the volume as it was is a mount away. */
async function backToPlain(journal: Journal, context: StepContext): Promise<void> {
  if ((await activeMapping(journal.name)) !== undefined) await context.cryptsetup.close(journal.name);
  await mountVolume(context.run, {
    device: journal.device.path,
    point: journal.mount.point,
    fileSystem: journal.fileSystem.type,
    options: journal.mount.options,
  });
}

async function stopUnitsInTheWay(journal: Journal, context: StepContext): Promise<Journal> {
  if (!journal.stopServices) return journal;
  const units = await unitsInTheWay(journal.mount.point, context.run);
  // On record before the first is stopped: whatever happens then, they are started again.
  const stopping = { ...journal, stoppedUnits: [...new Set([...journal.stoppedUnits, ...units])] };
  await context.store.save(stopping);
  await stopUnits(context.run, units);
  return stopping;
}

async function restartUnits(journal: Journal, context: StepContext): Promise<Journal> {
  await startUnits(context.run, journal.stoppedUnits);
  return { ...journal, stoppedUnits: [] };
}
