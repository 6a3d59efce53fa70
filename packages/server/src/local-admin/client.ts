import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { catalogue, type ErrorCode, type ErrorDetails, type Finding, KannukiError } from '@kannuki/core';
import {
  type AdminOperation,
  type AdminOperations,
  type AdminProgress,
  adminPath,
  adminSocketName,
} from './contract.ts';

export interface AdminCallOptions {
  readonly onProgress?: (progress: AdminProgress) => void;
  readonly signal?: AbortSignal;
  /** Bound on the whole call. Default 300. */
  readonly timeoutSeconds?: number;
}

const defaultTimeoutSeconds = 300;

/** Talks to the server of this machine through the socket in its data folder. */
export class AdminClient {
  readonly socketPath: string;

  constructor(dataDirectory: string) {
    this.socketPath = join(dataDirectory, adminSocketName);
  }

  /**
   * @throws KannukiError KNK-SRV-0017 where no server answers, 0019 for an answer without sense, or what the server throws
   */
  async call<Operation extends AdminOperation>(
    operation: Operation,
    input: AdminOperations[Operation]['input'],
    options: AdminCallOptions = {},
  ): Promise<AdminOperations[Operation]['result']> {
    const timeout = AbortSignal.timeout((options.timeoutSeconds ?? defaultTimeoutSeconds) * 1000);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    try {
      const last = await this.#exchange(operation, JSON.stringify(input), signal, options.onProgress);
      if ('result' in last) return last.result as AdminOperations[Operation]['result'];
      throw readError(last.error) ?? this.#nonsense();
    } catch (error) {
      if (error instanceof KannukiError || options.signal?.aborted === true) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = timeout.aborted ? 'it took too long' : (code ?? message);
      throw new KannukiError('KNK-SRV-0017', { details: { path: this.socketPath, reason }, cause: error });
    }
  }

  #exchange(
    operation: string,
    body: string,
    signal: AbortSignal,
    onProgress: AdminCallOptions['onProgress'],
  ): Promise<Record<string, unknown>> {
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const outgoing = httpRequest({
      socketPath: this.socketPath,
      method: 'POST',
      path: `${adminPath}${operation}`,
      agent: false,
      signal,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.on('error', reject);
      const lines = createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY });
      let last: Record<string, unknown> | undefined;
      lines.on('line', (line) => {
        const value = parseLine(line);
        if (value?.progress !== undefined) onProgress?.(value.progress as AdminProgress);
        else last = value ?? last;
      });
      lines.on('close', () => {
        if (last !== undefined && ('result' in last || 'error' in last)) resolve(last);
        else reject(this.#nonsense());
      });
    });
    outgoing.end(body);
    return promise;
  }

  #nonsense(): KannukiError {
    return new KannukiError('KNK-SRV-0019', { details: { path: this.socketPath } });
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function readError(value: unknown): KannukiError | undefined {
  const { code, details, findings } = (value ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || !Object.hasOwn(catalogue, code)) return undefined;
  return new KannukiError(code as ErrorCode, {
    details: (details ?? {}) as ErrorDetails,
    findings: Array.isArray(findings) ? (findings as Finding[]) : [],
  });
}
