import { KannukiError } from '@kannuki/core';
import type { BlobReceipt, EscrowReceipt } from '@kannuki/keyvault';
import { headerPlace } from '../volumes/header-place.ts';
import type { Journal } from '../volumes/journal.ts';
import type { EnginePaths } from '../volumes/paths.ts';
import { planOf } from '../volumes/plans.ts';
import type { Use } from '../volumes/uses/use.ts';
import { useOf } from '../volumes/uses/uses.ts';
import { refusal, refuseIfAny } from './refusal.ts';

/**
 * What is known of the disk under a header that is lost: `plain`: no block has changed yet; `plain-to-cipher`: some may have,
 * how many only the header knew; `cipher`: all have, and are on stable storage.
 */
export type DiskState = 'plain' | 'plain-to-cipher' | 'cipher';

/** The volume whose header is to be rebuilt, from its journal or, where that is lost too, from its secrets. */
export interface RebuildSubject {
  readonly name: string;
  readonly header: string;
  readonly device: { readonly path: string; readonly sizeBytes: number };
  /** null: any header record will do. */
  readonly luksUuid: string | null;
  /** Knows what the device must show through the new header; null: any file system. */
  readonly use: Pick<Use, 'probe' | 'wanted'> | null;
  readonly disk: DiskState;
  readonly passphrase: EscrowReceipt;
  readonly headerRecord: BlobReceipt;
}

/**
 * @throws KannukiError KNK-VOL-0007 for a volume that was begun and has no header yet, 0201 while an operation is under way of
 * which no record of the header tells enough
 */
export function subjectOf(journal: Journal, paths: EnginePaths): RebuildSubject {
  const { name, device, luksUuid, passphrase, headerRecord, operation } = journal;
  const use = useOf(journal);
  const disk = planOf(journal).onDisk(journal.step);
  if (passphrase === null || headerRecord === null) {
    throw new KannukiError('KNK-VOL-0007', { details: { target: use.name } });
  }
  if (journal.header.place === 'disk') {
    refuseIfAny('KNK-VOL-0201', use.name, [
      refusal(
        use.name,
        {
          en: `the header of ${name} lies on the disk itself; this version rebuilds header files only`,
          ja: `${name} のヘッダーはディスク自体にあります。この版が再構築できるのはヘッダー ファイルだけです`,
        },
        {
          en: '`cryptsetup repair` mends one damaged copy of the two; a copy of the first 16 MiB of the disk brings both back',
          ja: '2 つのコピーの一方だけの破損は `cryptsetup repair` で修復できます。両方の場合はディスクの先頭 16 MiB の控えから復元してください',
        },
      ),
    ]);
  }
  if (disk === 'other') {
    refuseIfAny('KNK-VOL-0201', use.name, [
      refusal(
        use.name,
        {
          en: `the operation ${operation} is under way: its header cannot be made anew from a record`,
          ja: `操作 ${operation} の途中です。この状態のヘッダーは記録から再構築できません`,
        },
        {
          en: 'restore the header file of this very moment, e.g. from the other half of a RAID 1; keep the disk as it is',
          ja: 'RAID 1 のもう一方など、まさにこの時点のヘッダー ファイルを復元してください。ディスクはそのまま保持してください',
        },
      ),
    ]);
    throw new KannukiError('KNK-VOL-0007', { details: { target: use.name } });
  }
  return { name, header: headerPlace(journal, paths), device, luksUuid, use, disk, passphrase, headerRecord };
}
