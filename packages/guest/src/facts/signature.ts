import type { Run } from '@kannuki/core';
import type { Signature } from './model.ts';

/** What `blkid --probe` answers of one device. */
export interface Probe {
  readonly signature: Signature | null;
  readonly partitionUuid: string | null;
  readonly partitionLabel: string | null;
  readonly partitionType: string | null;
}

const nothingFound = 2;
const severalFound = 8;

/**
 * Looks at the device itself: udev's memory of it may be old, and on machines without udev there is none.
 * blkid(8) has no JSON; `export` is its form for programs.
 */
export async function probe(run: Run, path: string): Promise<Probe> {
  const { exitCode, stdout } = await run('blkid', ['--probe', '--output', 'export', path], {
    accept: [0, nothingFound, severalFound],
    timeoutSeconds: 60,
  });
  const fields = parseExport(exitCode === 0 ? stdout : '');
  return {
    signature: exitCode === severalFound ? ambiguous : signatureOf(fields),
    partitionUuid: fields.get('PART_ENTRY_UUID') ?? null,
    partitionLabel: fields.get('PART_ENTRY_NAME') ?? null,
    partitionType: fields.get('PART_ENTRY_TYPE') ?? null,
  };
}

const ambiguous: Signature = { usage: 'ambiguous', type: '', version: null, uuid: null, label: null };

function signatureOf(fields: ReadonlyMap<string, string>): Signature | null {
  const usage = fields.get('USAGE');
  const type = fields.get('TYPE');
  if (usage === undefined || type === undefined) return null;
  return {
    usage,
    type,
    version: fields.get('VERSION') ?? null,
    uuid: fields.get('UUID') ?? null,
    label: fields.get('LABEL') ?? null,
  };
}

/** `KEY=value` a line; blkid puts a backslash before what a shell would take apart. */
export function parseExport(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) fields.set(match[1], unescapeShell(match[2]));
  }
  return fields;
}

function unescapeShell(value: string): string {
  // Bytes that are no ASCII come as \xNN, each by itself: only together they are characters.
  const bytes = value.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex: string | undefined, character?: string) =>
    hex === undefined ? (character ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
