import { catalogue, type ErrorCode, type ErrorDetails, KannukiError } from '@kannuki/core';
import type { Answer } from './channel.ts';
import { isRecord } from './goal-shape.ts';

/**
 * The error behind an answer that is not a success. An error of the catalogue stays itself on its way over the wire, so
 * that a caller can tell "try later" from "never"; anything else becomes KNK-AGT-0005.
 */
export function refusal(server: string, call: string, answer: Answer): KannukiError {
  const known = readError(answer.body);
  if (known !== undefined) return known;
  return new KannukiError('KNK-AGT-0005', { details: { server, call, status: answer.status } });
}

function readError(body: Buffer): KannukiError | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isRecord(value) || !isRecord(value.error)) return undefined;
  const { code, details } = value.error;
  if (typeof code !== 'string' || !isErrorCode(code)) return undefined;
  return new KannukiError(code, { details: isRecord(details) ? plainDetails(details) : {} });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}

function plainDetails(details: Record<string, unknown>): ErrorDetails {
  const plain = Object.entries(details).filter(
    (entry): entry is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]) && String(entry[1]).length <= 1000,
  );
  return Object.fromEntries(plain.slice(0, 32));
}
