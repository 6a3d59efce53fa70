import { stat } from 'node:fs/promises';
import { KannukiError, type Run } from '@kannuki/core';
import { liveSegments } from '@kannuki/formats';
import type { BlockDevice } from '../facts/model.ts';
import type { Cryptsetup } from '../volumes/cryptsetup.ts';
import type { Journal } from '../volumes/journal.ts';
import type { JournalStore } from '../volumes/journal-store.ts';
import { activeMapping } from '../volumes/mapping.ts';
import { headerOf } from '../volumes/operations/rotation-checks.ts';
import type { EnginePaths } from '../volumes/paths.ts';
import { readPassphrase } from '../volumes/steps/escrow.ts';
import type { VaultOf } from '../volumes/vault-of.ts';
import { checkWholeSectors } from './check-growth.ts';
import { deviceBytes } from './details.ts';
import type { MappingLayer } from './layers.ts';

export interface MappingParts {
  readonly run: Run;
  readonly paths: EnginePaths;
  readonly store: JournalStore;
  readonly cryptsetup: Cryptsetup;
  readonly vaultOf: VaultOf;
  /** Descriptor of a lock that programs which take long inherit; null where nothing is encrypted. */
  readonly lock: number | null;
}

/**
 * Lets dm-crypt have the whole of its device again, and puts the device's new size on record. Before that a boot opens the volume
 * all the same (identity.ts), and gives the mapping its new size by itself: the header says "to the end".
 */
export async function growMapping({ device, below, journal }: MappingLayer, parts: MappingParts): Promise<void> {
  if (journal === undefined) throw new Error(`${device.path} was not refused`);
  await assertSameMapping(journal, device, below);
  const { path: header, content } = await headerOf(journal, parts);
  const segment = liveSegments(content.metadata)[0]?.[1];
  const sizeBytes = await deviceBytes(below.kernelName);
  if (segment === undefined) throw new Error(`the header of ${journal.name} has no segment`);
  const findings = checkWholeSectors(below, segment, sizeBytes);
  if (findings.length > 0) throw new KannukiError('KNK-VOL-0070', { details: { target: device.path }, findings });
  const wanted = sizeBytes - Number(segment.offset);
  // Asked of the vault only when there is something to do.
  if ((await deviceBytes(device.kernelName)) < wanted) await resize(journal, header, parts);
  const now = await deviceBytes(device.kernelName);
  if (now !== wanted) {
    const details = { volume: journal.name, seen: String(now), wanted: String(wanted) };
    throw new KannukiError('KNK-VOL-0071', { details });
  }
  if (journal.device.sizeBytes === sizeBytes) return;
  await parts.store.save({ ...journal, device: { ...journal.device, sizeBytes } });
}

async function resize(journal: Journal, header: string, { cryptsetup, vaultOf }: MappingParts): Promise<void> {
  using passphrase = await readPassphrase(journal, await vaultOf(journal.vaultUri));
  await cryptsetup.resize({ header, device: journal.device.path, name: journal.name, passphrase });
}

/** The mapping is of this header, and the journal's name of the device leads to what the kernel has below it. */
async function assertSameMapping(journal: Journal, device: BlockDevice, below: BlockDevice): Promise<void> {
  const mapping = await activeMapping(journal.name);
  const uuid = `CRYPT-LUKS2-${(journal.luksUuid ?? '').replaceAll('-', '')}-${journal.name}`;
  const [named, real] = await Promise.all([journal.device.path, below.path].map(deviceNumber));
  if (mapping?.uuid === uuid && mapping.below.includes(below.kernelName) && named === real) return;
  const seen = mapping === undefined ? 'no mapping' : `${mapping.uuid} over ${mapping.below.join(', ')}`;
  const wanted = `${uuid} over ${journal.device.path}`;
  throw new KannukiError('KNK-VOL-0004', { details: { volume: journal.name, device: device.path, seen, wanted } });
}

async function deviceNumber(path: string): Promise<number> {
  return (await stat(path)).rdev;
}
