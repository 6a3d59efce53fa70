import { KannukiError } from '@kannuki/core';
import type { AzureConnection, AzureReply } from './connection.ts';
import { retryAfterSeconds } from './failure.ts';

export interface LongRunningOptions {
  /** For people. */
  readonly what: string;
  /** Told before each pause. */
  readonly onWait: (seconds: number) => void;
  readonly signal?: AbortSignal;
  /** Bound on the whole of it. */
  readonly limitSeconds?: number;
  /** How to pause; tests do not wait. */
  readonly pause?: (seconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Where the server does not say. */
const usualPauseSeconds = 2;

/**
 * Follows a long-running operation of ARM to its end: `Azure-AsyncOperation` until its status is final, else `Location`
 * until it is no longer 202. Does nothing for an answer that is already the end.
 * @throws KannukiError KNK-AZC-0007 where the operation failed, KNK-AZC-0012 where it takes too long
 */
export async function waitForEnd(
  connection: AzureConnection,
  first: AzureReply,
  options: LongRunningOptions,
): Promise<void> {
  const { what, onWait, signal, limitSeconds = 900, pause = pauseFor } = options;
  const operation = linkOf(first, 'azure-asyncoperation');
  let location = linkOf(first, 'location');
  if (operation === undefined && (location === undefined || first.status !== 202)) return;
  let last = first;
  let waited = 0;
  while (waited < limitSeconds) {
    const seconds = retryAfterSeconds(last.headers) ?? usualPauseSeconds;
    onWait(seconds);
    await pause(seconds, signal);
    waited += seconds;
    const url = new URL(operation ?? location ?? '', 'https://server/');
    last = await connection.call({
      plane: 'management',
      method: 'GET',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      what,
    });
    if (operation === undefined) {
      if (last.status !== 202) return;
      location = linkOf(last, 'location') ?? location;
    } else if (isFinal(last, what)) {
      return;
    }
  }
  throw new KannukiError('KNK-AZC-0012', { details: { what, seconds: limitSeconds } });
}

function linkOf({ headers }: AzureReply, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && URL.canParse(value, 'https://server/') ? value : undefined;
}

function isFinal({ data }: AzureReply, what: string): boolean {
  const status = String(data.status);
  if (status === 'Succeeded') return true;
  if (status !== 'Failed' && status !== 'Canceled') return false;
  const { code, message } = (data.error ?? {}) as Record<string, unknown>;
  const reason = [code ?? status, message].filter((part) => typeof part === 'string').join(': ');
  throw new KannukiError('KNK-AZC-0007', { details: { what, reason: reason.slice(0, 400) } });
}

async function pauseFor(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  await sleep(seconds * 1000, undefined, signal === undefined ? {} : { signal });
}
