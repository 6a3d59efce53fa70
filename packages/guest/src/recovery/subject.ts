import { KannukiError } from '@kannuki/core';
import type { BlobReceipt, EscrowReceipt } from '@kannuki/keyvault';
import { isAtLeast, type Journal } from '../volumes/journal.ts';
import { type EnginePaths, headerPath } from '../volumes/paths.ts';

/**
 * What is known of the disk under a header that is lost: `untouched`: no block has changed yet; `converting`: some may have,
 * how many only the header knew; `converted`: all have, and are on stable storage.
 */
export type DiskState = 'untouched' | 'converting' | 'converted';

/** The volume whose header is to be rebuilt, from its journal or, where that is lost too, from its secrets. */
export interface RebuildSubject {
  readonly name: string;
  readonly header: string;
  readonly device: { readonly path: string; readonly sizeBytes: number };
  /** null: any header record will do. */
  readonly luksUuid: string | null;
  /** What the device must show through the new header; null: any file system. */
  readonly fileSystem: { readonly type: string; readonly uuid: string } | null;
  readonly disk: DiskState;
  readonly passphrase: EscrowReceipt;
  readonly headerRecord: BlobReceipt;
}

/** @throws KannukiError KNK-VOL-0007 for a volume that was begun and has no header yet */
export function subjectOf(journal: Journal, paths: EnginePaths): RebuildSubject {
  const { name, device, luksUuid, fileSystem, passphrase, headerRecord } = journal;
  if (passphrase === null || headerRecord === null) {
    throw new KannukiError('KNK-VOL-0007', { details: { target: journal.mount.point } });
  }
  const header = headerPath(paths, name);
  return { name, header, device, luksUuid, fileSystem, disk: diskStateOf(journal), passphrase, headerRecord };
}

export function diskStateOf(journal: Journal): DiskState {
  if (isAtLeast(journal, 'converted')) return 'converted';
  return isAtLeast(journal, 'mapped') ? 'converting' : 'untouched';
}
