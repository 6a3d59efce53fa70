import { KannukiError } from '@kannuki/core';

/**
 * Files of lines with fields between blanks (fstab, crypttab) that people edit by hand: what is not changed is written
 * back byte for byte, with its comments, odd spacing, line ends and bytes that are no UTF-8. So lines are kept as latin1, one
 * character a byte; fields are offered as text.
 */
export interface Table<Entry> {
  readonly lines: readonly TableLine<Entry>[];
}

export interface TableLine<Entry> {
  /** latin1, without the line end. */
  readonly raw: string;
  readonly end: '' | '\n' | '\r\n';
  /** null for comments, empty lines, and what is no entry. */
  readonly entry: Entry | null;
}

/** One field, with where it stands in its line. */
export interface Field {
  /** Escapes resolved, as UTF-8 text; bytes that are none show as U+FFFD. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Makes an entry of a line's fields; null when it is none. */
export type ReadEntry<Entry> = (fields: readonly Field[]) => Entry | null;

/** Time and memory are linear in the bytes, which the caller bounds. */
export function parseTable<Entry>(bytes: Uint8Array, readEntry: ReadEntry<Entry>): Table<Entry> {
  const pieces = Buffer.from(bytes).toString('latin1').split('\n');
  const lines = pieces.map((piece, index): TableLine<Entry> => {
    const isLast = index === pieces.length - 1;
    const hasReturn = !isLast && piece.endsWith('\r');
    const raw = hasReturn ? piece.slice(0, -1) : piece;
    return { raw, end: isLast ? '' : hasReturn ? '\r\n' : '\n', entry: readLine(raw, readEntry) };
  });
  // Behind the last line end there is no line.
  return { lines: lines.at(-1)?.raw === '' ? lines.slice(0, -1) : lines };
}

export function printTable(table: Table<unknown>): Uint8Array {
  return Buffer.from(table.lines.map(({ raw, end }) => raw + end).join(''), 'latin1');
}

export function entriesOf<Entry>(table: Table<Entry>): readonly Entry[] {
  return table.lines.map(({ entry }) => entry).filter((entry) => entry !== null);
}

/** Without the line of this entry (the very object that the table gave). */
export function withoutEntry<Entry>(table: Table<Entry>, entry: Entry): Table<Entry> {
  return { lines: table.lines.filter((line) => line.entry !== entry) };
}

/** With the entry's line turned into a comment: the prefix, which begins with `#`, and the line as it was. */
export function withEntryCommented<Entry>(table: Table<Entry>, entry: Entry, prefix: string): Table<Entry> {
  checkPrefix(prefix);
  const lines = table.lines.map((line) =>
    line.entry === entry ? { ...line, raw: prefix + line.raw, entry: null } : line,
  );
  return { lines };
}

/** The undo of withEntryCommented: every line with this prefix is an entry again. */
export function withEntriesRestored<Entry>(
  table: Table<Entry>,
  prefix: string,
  readEntry: ReadEntry<Entry>,
): Table<Entry> {
  checkPrefix(prefix);
  const lines = table.lines.map((line) => {
    if (!line.raw.startsWith(prefix)) return line;
    const raw = line.raw.slice(prefix.length);
    return { ...line, raw, entry: readLine(raw, readEntry) };
  });
  return { lines };
}

/** With a field of the entry's line changed, and all around it as it was. */
export function withField<Entry>(
  table: Table<Entry>,
  entry: Entry,
  field: Field,
  escaped: string,
  readEntry: ReadEntry<Entry>,
): Table<Entry> {
  const lines = table.lines.map((line) => {
    if (line.entry !== entry) return line;
    const raw = line.raw.slice(0, field.start) + latin1(escaped) + line.raw.slice(field.end);
    return { ...line, raw, entry: readLine(raw, readEntry) };
  });
  return { lines };
}

/** With one more line at the end; a last line without an end gets one first. */
export function withLine<Entry>(table: Table<Entry>, text: string, readEntry: ReadEntry<Entry>): Table<Entry> {
  const raw = latin1(text);
  const before = table.lines.map((line) => (line.end === '' ? { ...line, end: '\n' as const } : line));
  return { lines: [...before, { raw, end: '\n', entry: readLine(raw, readEntry) }] };
}

/** Fields of a line that is no comment. fstab(5): blanks and tabs divide, `\040` and the like stand for characters. */
function readLine<Entry>(raw: string, readEntry: ReadEntry<Entry>): Entry | null {
  const found = [...raw.matchAll(/[^ \t]+/g)];
  if (found.length === 0 || found[0]?.[0].startsWith('#') === true) return null;
  return readEntry(
    found.map((match) => ({
      text: Buffer.from(unescapeOctal(match[0]), 'latin1').toString('utf8'),
      start: match.index,
      end: match.index + match[0].length,
    })),
  );
}

function unescapeOctal(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * A field as it is written, with octal escapes for what would end it.
 * @throws KannukiError KNK-FMT-0201 for an empty field and for control characters other than tab
 */
export function escapeField(file: string, name: string, text: string): string {
  if (text === '' || /[^\P{Cc}\t]/u.test(text)) {
    throw new KannukiError('KNK-FMT-0201', { details: { file, detail: `${name} ${JSON.stringify(text)}` } });
  }
  return text.replace(/[ \t\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function checkPrefix(prefix: string): void {
  if (!/^#[\x20-\x7e]*$/.test(prefix)) {
    throw new KannukiError('KNK-FMT-0201', { details: { file: 'comment', detail: JSON.stringify(prefix) } });
  }
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
