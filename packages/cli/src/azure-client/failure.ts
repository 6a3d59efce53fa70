import type { IncomingHttpHeaders } from 'node:http';
import { type ErrorCode, KannukiError, type SecretBytes } from '@kannuki/core';

/** An answer that is no success, as far as an error is made of it. */
export interface Refusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly data: unknown;
  /** What was asked, for people: `the key kek1 of the vault kv1`. */
  readonly what: string;
  /** Secrets that were in the request: an answer that quotes one is not shown. */
  readonly secrets: readonly SecretBytes[];
}

/** Azure's error, as one of ours: the HTTP status decides about the exit code, Azure's code and message are the reason. */
export function failureOf(refusal: Refusal): KannukiError {
  const { status, headers, what } = refusal;
  const reason = reasonOf(refusal);
  const code = codeOf(status);
  const pause = code === 'KNK-AZC-0003' ? { seconds: retryAfterSeconds(headers) ?? 10 } : {};
  return new KannukiError(code, { details: { what, reason, status, ...pause } });
}

function codeOf(status: number): ErrorCode {
  if (status === 404 || status === 410) return 'KNK-AZC-0001';
  if (status === 401 || status === 403) return 'KNK-AZC-0002';
  if (status === 429 || status === 502 || status === 503 || status === 504) return 'KNK-AZC-0003';
  if (status === 409 || status === 412 || status === 423) return 'KNK-AZC-0006';
  return status >= 400 && status < 500 ? 'KNK-AZC-0005' : 'KNK-AZC-0007';
}

/** `Retry-After` in whole seconds, 1 to 300; undefined where it says nothing of use. */
export function retryAfterSeconds(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined || !/^\d{1,6}$/.test(text)) return undefined;
  return Math.min(300, Math.max(1, Number(text)));
}

function reasonOf({ status, data, secrets }: Refusal): string {
  const { code, message } = errorParts(data);
  const text = [code, message].filter((part) => part !== '').join(': ') || `HTTP status ${status}`;
  return sayable(text, secrets) ?? `HTTP status ${status}`;
}

/**
 * The other end's words for one of our lines: short, printable, without the full stop.
 * @returns undefined where they quote a secret. Secrets of under 4 bytes are in every text: "a" would say nothing
 */
export function sayable(text: string, secrets: readonly SecretBytes[]): string | undefined {
  const bytes = Buffer.from(text, 'utf8');
  if (
    secrets.some(
      (secret) =>
        secret.length >= 4 && bytes.includes(Buffer.from(secret.bytes.buffer, secret.bytes.byteOffset, secret.length)),
    )
  )
    return undefined;
  return text
    .slice(0, 400)
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/[.。\s]+$/, '');
}

function errorParts(data: unknown): { readonly code: string; readonly message: string } {
  const { error, error_description: described } = (data ?? {}) as Record<string, unknown>;
  if (typeof error === 'string') return { code: error, message: textOf(described) };
  const { code, message } = (error ?? {}) as Record<string, unknown>;
  return { code: textOf(code), message: textOf(message) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
