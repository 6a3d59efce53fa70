import { type Finding, KannukiError } from '@kannuki/core';
import { type Luks2HeaderContent, readLuks2Header, requiresReencryption } from '@kannuki/formats';
import type { StepContext } from '../context.ts';
import { readHeaderFile } from '../header-file.ts';
import { headerPlace } from '../header-place.ts';
import type { Journal } from '../journal.ts';
import { useOf } from '../uses/uses.ts';

/**
 * The header of a volume as it is now.
 * @throws KannukiError KNK-VOL-0004 when it is that of another volume
 */
export async function headerOf(journal: Journal, context: Pick<StepContext, 'paths'>): Promise<HeaderNow> {
  const path = headerPlace(journal, context.paths);
  const bytes = await readHeaderFile(path);
  const content = readLuks2Header(bytes).newest;
  if (content.uuid !== journal.luksUuid) {
    const wanted = `LUKS UUID ${journal.luksUuid ?? 'none'}`;
    const details = { volume: journal.name, device: path, seen: `LUKS UUID ${content.uuid}`, wanted };
    throw new KannukiError('KNK-VOL-0004', { details });
  }
  return { path, bytes, content, slots: passphraseSlots(content) };
}

export interface HeaderNow {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly content: Luks2HeaderContent;
  /** Numbers of the key slots that hold a volume key under a passphrase. */
  readonly slots: readonly number[];
}

function passphraseSlots({ metadata }: Luks2HeaderContent): readonly number[] {
  return [...metadata.keyslots].flatMap(([id, { type }]) => (type === 'luks2' ? [id] : []));
}

/** @throws KannukiError KNK-VOL-0030 for a volume whose key is a new random one at each boot */
export function refuseForeign(journal: Journal): void {
  if (journal.keySource !== 'random') return;
  refuseFor(journal, [
    {
      rule: 'ROTATE-RANDOM',
      severity: 'refuse',
      subject: useOf(journal).name,
      message: {
        en: 'the volume has a new random key at each boot',
        ja: 'このボリュームは起動のたびに新しいランダムな鍵を使います',
      },
      remedy: { en: 'a reboot rotates it', ja: '再起動すると鍵が変わります' },
    },
  ]);
}

/** cryptsetup changes no key slot, and begins no second conversion, while one is under way. */
export function pendingFindings(journal: Journal, { content }: HeaderNow): readonly Finding[] {
  if (!requiresReencryption(content.metadata)) return [];
  return [
    {
      rule: 'ROTATE-PENDING',
      severity: 'refuse',
      subject: useOf(journal).name,
      message: {
        en: 'a conversion of this volume is not over; until then no key can be changed',
        ja: 'このボリュームの変換が完了していません。完了するまで鍵は変更できません',
      },
      remedy: {
        en: 'let it end: the agent goes on with it by itself; `kannuki disk list` shows its progress',
        ja: '完了を待ってください。エージェントが自動で続行します。進行状況は `kannuki disk list` で確認できます',
      },
    },
  ];
}

/** @throws KannukiError KNK-VOL-0030 with all findings */
export function refuseFor(journal: Journal, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  throw new KannukiError('KNK-VOL-0030', { details: { target: useOf(journal).name }, findings });
}

/** The record of a volume whose rotation was taken back: as the operation that made it left it. */
export function settled(journal: Journal): Journal {
  return { ...withoutRotation(journal), operation: journal.madeBy, step: 'finished' };
}

/** What only an operation under way has to know goes with its end. */
export function withoutRotation(journal: Journal): Journal {
  const { passphraseRotation: _p, kekRotation: _k, keyRotation: _v, ...rest } = journal;
  return rest;
}
