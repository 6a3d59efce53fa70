import {
  entriesOf,
  escapeField,
  type Field,
  parseTable,
  type Table,
  withEntriesRestored,
  withEntryCommented,
  withField,
  withLine,
  withoutEntry,
} from '../tables/table.ts';
import { type SourceKind, sourceKind } from './source.ts';

/** One line of /etc/fstab; fstab(5). Fields that the line does not have are at their defaults. */
export interface FstabEntry {
  readonly source: string;
  readonly sourceKind: SourceKind;
  /** Without slashes at the end; `none` for swap. */
  readonly mountPoint: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly hasNofail: boolean;
  readonly dump: number;
  readonly pass: number;
  readonly fields: readonly Field[];
}

export type Fstab = Table<FstabEntry>;

/** What a new line is made of. */
export type NewFstabEntry = Pick<FstabEntry, 'source' | 'mountPoint' | 'type' | 'options' | 'dump' | 'pass'>;

const defaultPrefix = '# ';

/** Any bytes are safe to pass; what is no entry of three to six fields is kept as a line without entry. */
export function parseFstab(bytes: Uint8Array): Fstab {
  return parseTable(bytes, readEntry);
}

/** All entries for a mount point, in the order of the file. Compared as text, without following links. */
export function findByMountPoint(fstab: Fstab, mountPoint: string): readonly FstabEntry[] {
  const wanted = withoutSlash(mountPoint);
  return entriesOf(fstab).filter((entry) => entry.mountPoint === wanted);
}

export function removeFstabEntry(fstab: Fstab, entry: FstabEntry): Fstab {
  return withoutEntry(fstab, entry);
}

/** @param prefix begins with `#`; give one of your own to be able to restore @throws KannukiError KNK-FMT-0201 */
export function commentOutFstabEntry(fstab: Fstab, entry: FstabEntry, prefix: string = defaultPrefix): Fstab {
  return withEntryCommented(fstab, entry, prefix);
}

/** Undoes commentOutFstabEntry for all lines with this prefix. @throws KannukiError KNK-FMT-0201 */
export function restoreFstabEntries(fstab: Fstab, prefix: string): Fstab {
  return withEntriesRestored(fstab, prefix, readEntry);
}

/** Changes the fourth field and nothing else of the line; an entry without one gets it. @throws KannukiError KNK-FMT-0201 */
export function setFstabOptions(fstab: Fstab, entry: FstabEntry, options: readonly string[]): Fstab {
  const escaped = escapeField('fstab', 'options', options.join(','));
  const [, , type, old] = entry.fields;
  if (old !== undefined) return withField(fstab, entry, old, escaped, readEntry);
  if (type === undefined) return fstab;
  return withField(fstab, entry, { text: '', start: type.end, end: type.end }, ` ${escaped}`, readEntry);
}

/** @throws KannukiError KNK-FMT-0201 when a field cannot be written */
export function appendFstabEntry(fstab: Fstab, entry: NewFstabEntry): Fstab {
  const fields = [
    escapeField('fstab', 'source', entry.source),
    escapeField('fstab', 'mount point', entry.mountPoint),
    escapeField('fstab', 'type', entry.type),
    escapeField('fstab', 'options', entry.options.join(',')),
    escapeField('fstab', 'dump', String(entry.dump)),
    escapeField('fstab', 'pass', String(entry.pass)),
  ];
  return withLine(fstab, fields.join(' '), readEntry);
}

function readEntry(all: readonly Field[]): FstabEntry | null {
  // libmount takes what follows the fourth field and begins with # for a comment.
  const comment = all.findIndex((field, index) => index >= 3 && field.text.startsWith('#'));
  const fields = comment < 0 ? all : all.slice(0, comment);
  const [source, mountPoint, type, options, dump, pass] = fields.map((field) => field.text);
  if (source === undefined || mountPoint === undefined || type === undefined || fields.length > 6) return null;
  if (!isNumber(dump) || !isNumber(pass)) return null;
  const optionList = (options ?? 'defaults').split(',').filter((option) => option !== '');
  return {
    source,
    sourceKind: sourceKind(source),
    mountPoint: withoutSlash(mountPoint),
    type,
    options: optionList,
    hasNofail: optionList.includes('nofail'),
    dump: Number(dump ?? 0),
    pass: Number(pass ?? 0),
    fields,
  };
}

function isNumber(text: string | undefined): boolean {
  return text === undefined || /^\d{1,9}$/.test(text);
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}
