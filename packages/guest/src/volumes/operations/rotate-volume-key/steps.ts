import { type Finding, KannukiError, type SecretBytes } from '@kannuki/core';
import { openKeyslot, readLuks2Header, requiresReencryption } from '@kannuki/formats';
import { removeConversionUnits, writeConversionUnits } from '../../../boot/entries.ts';
import type { Step, StepContext } from '../../context.ts';
import { readHeaderFile } from '../../header-file.ts';
import type { Journal } from '../../journal.ts';
import { escrowHeader, escrowRecord, readPassphrase } from '../../steps/escrow.ts';
import { useOf } from '../../uses/uses.ts';
import { type HeaderNow, headerOf, pendingFindings, refuseFor, settled, withoutRotation } from '../rotation-checks.ts';
import { copyHeader, headerCopyPath, installHeaderCopy, keepHeaderCopy, removeHeaderCopy } from './header-copy.ts';
import { keyRotationOf } from './key-rotation.ts';

/** From here on a power cut may leave a piece half-converted: the boot has its guard before that. */
export const prepareBoot: Step = async (journal, context) => {
  await writeConversionUnits(journal, context);
  return journal;
};

/** Makes the new volume key, in a copy of the header: neither the disk nor the header in use changes. */
export const makeNextHeader: Step = async (journal, context) => {
  const rotation = keyRotationOf(journal);
  const { oldSlot, cipher, sectorSize } = rotation;
  const { sequenceId } = (await headerOf(journal, context)).content;
  await removeHeaderCopy(journal, context.paths);
  const headerCopy = await copyHeader(journal, context.paths);
  const device = journal.device.path;
  using passphrase = await readPassphrase(journal, context.vault);
  const { resilience } = journal.header;
  await context.cryptsetup.beginKeyChange({
    headerCopy,
    device,
    passphrase,
    keyslot: oldSlot,
    cipher,
    sectorSize,
    resilience,
  });
  // Of one slot alone cryptsetup says with exit code 1 and no word that it does not open, as soon as a conversion is pending.
  await context.cryptsetup.testPassphrase(headerCopy, device, passphrase);
  const bytes = await readHeaderFile(headerCopy);
  for (const keyslot of [oldSlot, await newSlotOf(headerCopy, oldSlot)]) {
    using _volumeKey = openKeyslot(bytes, passphrase, { keyslot });
  }
  await keepHeaderCopy(headerCopy, journal, context.paths);
  return { ...journal, keyRotation: { ...rotation, madeFrom: String(sequenceId) } };
};

/** Escrow before ink: both volume keys, each with the metadata of the conversion's begin, before the first block changes. */
export const escrowBothKeys: Step = async (journal, context) => {
  const rotation = keyRotationOf(journal);
  const path = headerCopyPath(journal, context.paths);
  const bytes = await readHeaderFile(path);
  const header = readLuks2Header(bytes).newest;
  using passphrase = await readPassphrase(journal, context.vault);
  using oldKey = openKeyslot(bytes, passphrase, { keyslot: rotation.oldSlot });
  using newKey = openKeyslot(bytes, passphrase, { keyslot: await newSlotOf(path, rotation.oldSlot) });
  assertOther(journal, oldKey, newKey);
  const records = {
    oldKey: await escrowRecord(journal, context.vault, header, oldKey),
    newKey: await escrowRecord(journal, context.vault, header, newKey, 'header-next'),
  };
  return { ...journal, keyRotation: { ...rotation, records } };
};

export const installNextHeader: Step = async (journal, context) => {
  refuseFor(journal, changeFindings(journal, await headerOf(journal, context)));
  await installHeaderCopy(journal, context.paths);
  return journal;
};

/** One slot is left, of the new key; the old key's are gone with the conversion. */
export const finishKeyRotation: Step = async (journal, context) => {
  const { oldSlot, sectorSize } = keyRotationOf(journal);
  const { slots } = await headerOf(journal, context);
  if (slots.length !== 1 || slots.includes(oldSlot)) {
    const detail = `after the change of the volume key the key slots are ${slots.join(', ')}`;
    throw new KannukiError('KNK-VOL-0031', { details: { volume: journal.name, detail } });
  }
  await removeConversionUnits(journal, context);
  await removeHeaderCopy(journal, context.paths);
  const header = { ...journal.header, sectorSize };
  return withoutRotation(await escrowHeader({ ...journal, header }, context));
};

/** As long as the header in use is the old one nothing has happened to the volume. */
export async function undoKeyRotation(journal: Journal, context: StepContext): Promise<void> {
  // The new header may have taken its place right before the failure: then only going on is safe.
  if (pendingFindings(journal, await headerOf(journal, context)).length > 0) return;
  // On record before the copy goes: a later start must not take its absence for its having been installed.
  await context.store.save({ ...journal, step: 'boot-prepared' });
  await removeHeaderCopy(journal, context.paths);
  await removeConversionUnits(journal, context);
  await context.store.save(settled(journal));
}

/**
 * A key slot that its owner has added or removed since the next header was made would be lost or come back with it. A header that
 * is under conversion is the next one already: cryptsetup changes no slot of it.
 */
function changeFindings(journal: Journal, { content }: HeaderNow): readonly Finding[] {
  const isAsItWas = String(content.sequenceId) === keyRotationOf(journal).madeFrom;
  if (isAsItWas || requiresReencryption(content.metadata)) return [];
  return [
    {
      rule: 'ROTATE-HEADER-CHANGED',
      severity: 'refuse',
      subject: useOf(journal).name,
      message: {
        en: 'someone changed the header (its key slots or flags) while the change of the volume key was being prepared',
        ja: 'ボリューム キーの変更を準備している間に、ヘッダー (キー スロットまたはフラグ) が変更されました',
      },
      remedy: {
        en: 'look at it with cryptsetup luksDump, then give the command again',
        ja: 'cryptsetup luksDump で確認してから、もう一度コマンドを実行してください',
      },
    },
  ];
}

async function newSlotOf(header: string, oldSlot: number): Promise<number> {
  const { metadata } = readLuks2Header(await readHeaderFile(header)).newest;
  const found = [...metadata.keyslots].filter(([id, { type }]) => type === 'luks2' && id !== oldSlot);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new KannukiError('KNK-VOL-0031', {
      details: { volume: header, detail: `${found.length} key slots for the new volume key` },
    });
  }
  return first[0];
}

function assertOther({ name }: Journal, oldKey: SecretBytes, newKey: SecretBytes): void {
  if (!oldKey.equals(newKey)) return;
  throw new KannukiError('KNK-VOL-0031', { details: { volume: name, detail: 'the new volume key is the old one' } });
}
