import { hash } from 'node:crypto';
import { isSame } from '../embedded/row-seal.ts';
import type { AuditRecord } from '../service/audit-port.ts';
import type { ChainKey } from './chain-key.ts';

/** What the next line is chained to. */
export interface Link {
  /** 1 is the first record of a log. */
  readonly sequence: number;
  /** SHA-256 of the whole line without its line feed, 64 hexadecimal digits. */
  readonly hash: string;
  /** The line's own MAC, 64 hexadecimal digits. */
  readonly mac: string;
}

const zeros = '0'.repeat(64);
/** Before the first record, and before the first record after a break. */
export const beginning: Link = { sequence: 0, hash: zeros, mac: zeros };

/** Records that the log makes about itself, beside those of the vault. */
export const ownOperations = {
  /** Bytes of a batch that a crash or a full disk had cut short were moved aside; none of them was acknowledged. */
  torn: 'AuditLogTorn',
  /** What was found is not what had been written: a new chain begins here. A log that holds this is never whole again. */
  broken: 'AuditLogBroken',
} as const;

/** No line is longer, whatever a caller sends; without the line feed. */
export const maximumLineBytes = 8 * 1024;

/** Longest texts, UTF-16 units. Escaped as badly as can be (six bytes each), a line still fits. */
const longest = {
  requestId: 64,
  operation: 64,
  vault: 127,
  object: 200,
  objectId: 80,
  applicationId: 80,
  address: 64,
  error: 127,
} as const;

/** A record as it is read back. */
export interface AuditEntry extends AuditRecord {
  readonly sequence: number;
}

export interface ParsedLine {
  readonly entry: AuditEntry;
  /** Hash of the line before. */
  readonly previous: string;
  readonly link: Link;
  /** What the MAC is made over: the line's bytes up to the MAC. */
  readonly body: Uint8Array;
}

/** Nothing longer than its bound is kept, not even while the record waits. */
export function bounded(record: AuditRecord): AuditRecord {
  const cut = (name: keyof typeof longest, value: string): string => value.slice(0, longest[name]);
  const orNull = (name: keyof typeof longest, value: string | null): string | null =>
    value === null ? null : cut(name, value);
  return {
    time: Number.isSafeInteger(record.time) && Math.abs(record.time) <= 8.64e15 ? record.time : 0,
    requestId: cut('requestId', record.requestId),
    operation: cut('operation', record.operation),
    vault: cut('vault', record.vault),
    object: orNull('object', record.object),
    objectId: orNull('objectId', record.objectId),
    applicationId: orNull('applicationId', record.applicationId),
    address: cut('address', record.address),
    status: Number.isInteger(record.status) && record.status >= 0 && record.status <= 999 ? record.status : 0,
    error: orNull('error', record.error),
  };
}

/**
 * One line, with its line feed: the members always in this order, `mac` last, so that its bytes are their own canonical
 * form. Characters that would steer a terminal are escaped, those of C1 and of bidirectional text as well.
 */
export function writeLine(record: AuditRecord, before: Link, key: ChainKey): { line: Buffer; link: Link } {
  const { requestId, operation, vault, object, objectId, applicationId, address, status, error } = record;
  const sequence = before.sequence + 1;
  const time = new Date(record.time).toISOString();
  const named = {
    sequence,
    time,
    requestId,
    operation,
    vault,
    object,
    objectId,
    applicationId,
    address,
    status,
    error,
  };
  const json = JSON.stringify({ ...named, previous: before.hash }).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const body = Buffer.from(json.slice(0, -1), 'utf8');
  const mac = key.mac('line', [before.mac, body]);
  const line = Buffer.concat([body, Buffer.from(`,"mac":"${mac}"}\n`, 'latin1')]);
  return { line, link: { sequence, hash: hashOf(line.subarray(0, -1)), mac } };
}

const tail = /^,"mac":"([0-9a-f]{64})"\}$/;
const tailBytes = 74;
const digits = /^[0-9a-f]{64}$/;

/** @param line without its line feed. @returns undefined where it is not a line as `writeLine` makes them */
export function parseLine(line: Uint8Array): ParsedLine | undefined {
  if (line.length > maximumLineBytes || line.length < tailBytes) return undefined;
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
  const mac = tail.exec(bytes.toString('latin1', line.length - tailBytes))?.[1];
  const value = parseJson(bytes.toString('utf8'));
  if (mac === undefined || value === undefined) return undefined;
  const { sequence, previous } = value;
  const time = typeof value.time === 'string' ? Date.parse(value.time) : Number.NaN;
  if (!Number.isSafeInteger(sequence) || Number(sequence) < 1 || Number.isNaN(time)) return undefined;
  if (typeof previous !== 'string' || !digits.test(previous)) return undefined;
  const text = (name: keyof typeof longest): string => (typeof value[name] === 'string' ? value[name] : '');
  const orNull = (name: keyof typeof longest): string | null => (typeof value[name] === 'string' ? value[name] : null);
  return {
    entry: {
      sequence: Number(sequence),
      time,
      requestId: text('requestId'),
      operation: text('operation'),
      vault: text('vault'),
      object: orNull('object'),
      objectId: orNull('objectId'),
      applicationId: orNull('applicationId'),
      address: text('address'),
      status: typeof value.status === 'number' ? value.status : 0,
      error: orNull('error'),
    },
    previous,
    link: { sequence: Number(sequence), hash: hashOf(bytes), mac },
    body: bytes.subarray(0, line.length - tailBytes),
  };
}

/** Whether a line's MAC was made by who holds the key, after that line before it. */
export function isSealedAfter(line: ParsedLine, before: Link, key: ChainKey): boolean {
  const expected = Buffer.from(key.mac('line', [before.mac, line.body]), 'latin1');
  return isSame(expected, Buffer.from(line.link.mac, 'latin1'));
}

/** Whether a line follows another in every respect. */
export function follows(line: ParsedLine, before: Link, key: ChainKey): boolean {
  return (
    line.link.sequence === before.sequence + 1 && line.previous === before.hash && isSealedAfter(line, before, key)
  );
}

function hashOf(line: Uint8Array): string {
  return hash('sha256', line, 'hex');
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
