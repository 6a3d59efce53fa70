import { KannukiError } from '@kannuki/core';
import { type SourceKind, sourceKind } from '../fstab/source.ts';
import {
  entriesOf,
  type Field,
  parseTable,
  type Table,
  withEntriesRestored,
  withEntryCommented,
  withLine,
  withoutEntry,
} from '../tables/table.ts';

/** One line of /etc/crypttab; crypttab(5). */
export interface CrypttabEntry {
  /** Of the mapping below /dev/mapper. */
  readonly name: string;
  readonly device: string;
  readonly deviceKind: SourceKind;
  /** Path of the key, `none` or `-` for none; systemd takes `PATH:DEVICE` for a key on another disk. */
  readonly key: string;
  readonly options: readonly string[];
  readonly fields: readonly Field[];
}

export type Crypttab = Table<CrypttabEntry>;

/** What a new line is made of. No options means `luks`. */
export type NewCrypttabEntry = Pick<CrypttabEntry, 'name' | 'device' | 'key' | 'options'>;

const defaultPrefix = '# ';

/** Any bytes are safe to pass; what is no entry of two to four fields is kept as a line without entry. */
export function parseCrypttab(bytes: Uint8Array): Crypttab {
  return parseTable(bytes, readEntry);
}

export function findByName(crypttab: Crypttab, name: string): readonly CrypttabEntry[] {
  return entriesOf(crypttab).filter((entry) => entry.name === name);
}

export function removeCrypttabEntry(crypttab: Crypttab, entry: CrypttabEntry): Crypttab {
  return withoutEntry(crypttab, entry);
}

/** @param prefix begins with `#` @throws KannukiError KNK-FMT-0201 */
export function commentOutCrypttabEntry(
  crypttab: Crypttab,
  entry: CrypttabEntry,
  prefix: string = defaultPrefix,
): Crypttab {
  return withEntryCommented(crypttab, entry, prefix);
}

/** Undoes commentOutCrypttabEntry for all lines with this prefix. @throws KannukiError KNK-FMT-0201 */
export function restoreCrypttabEntries(crypttab: Crypttab, prefix: string): Crypttab {
  return withEntriesRestored(crypttab, prefix, readEntry);
}

/** @throws KannukiError KNK-FMT-0201 when a field cannot be written */
export function appendCrypttabEntry(crypttab: Crypttab, entry: NewCrypttabEntry): Crypttab {
  const options = entry.options.length === 0 ? 'luks' : entry.options.join(',');
  const fields = [
    plainField('name', entry.name),
    plainField('device', entry.device),
    plainField('key', entry.key),
    plainField('options', options),
  ];
  return withLine(crypttab, fields.join(' '), readEntry);
}

function readEntry(fields: readonly Field[]): CrypttabEntry | null {
  const [name, device, key, options] = fields.map((field) => field.text);
  if (name === undefined || device === undefined || fields.length > 4) return null;
  return {
    name,
    device,
    deviceKind: sourceKind(device),
    key: key ?? 'none',
    options: (options ?? '').split(',').filter((option) => option !== ''),
    fields,
  };
}

/** systemd knows no escapes in crypttab, Debian's scripts know octal ones: only what both read the same way is written. */
function plainField(name: string, text: string): string {
  if (text === '' || /[\p{Cc} \\]/u.test(text) || text.startsWith('#')) {
    throw new KannukiError('KNK-FMT-0201', {
      details: { file: 'crypttab', detail: `${name} ${JSON.stringify(text)}` },
    });
  }
  return text;
}
