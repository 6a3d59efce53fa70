import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  catalogue,
  type ErrorCode,
  type ErrorDetails,
  type Finding,
  KannukiError,
  type SecretBytes,
} from '@kannuki/core';
import type { AdminByteOperation, AdminByteOperations } from './byte-operations.ts';
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

interface Body {
  readonly type: string;
  readonly bytes: Uint8Array;
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
    const body = { type: 'application/json', bytes: Buffer.from(JSON.stringify(input)) };
    return (await this.#call(operation, body, options)) as AdminOperations[Operation]['result'];
  }

  /**
   * As `call`, for what takes a passphrase or PIN.
   * @param secret stays the caller's, who wipes it; undefined where there is none
   */
  async callWithSecret<Operation extends AdminByteOperation>(
    operation: Operation,
    query: AdminByteOperations[Operation]['query'],
    secret: SecretBytes | undefined,
    options: AdminCallOptions = {},
  ): Promise<AdminByteOperations[Operation]['result']> {
    const body = { type: 'application/octet-stream', bytes: secret?.bytes ?? new Uint8Array(0) };
    const words = new URLSearchParams(query as Record<string, string>).toString();
    const target = words === '' ? operation : `${operation}?${words}`;
    return (await this.#call(target, body, options)) as AdminByteOperations[Operation]['result'];
  }

  async #call(target: string, body: Body, options: AdminCallOptions): Promise<unknown> {
    const timeout = AbortSignal.timeout((options.timeoutSeconds ?? defaultTimeoutSeconds) * 1000);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    try {
      const last = await this.#exchange(target, body, signal, options.onProgress);
      if ('result' in last) return last.result;
      throw readError(last.error) ?? this.#nonsense();
    } catch (error) {
      if (error instanceof KannukiError || options.signal?.aborted === true) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = timeout.aborted ? 'it took too long' : (code ?? message);
      throw new KannukiError('KNK-SRV-0017', { details: { path: this.socketPath, reason }, cause: error });
    }
  }

  #exchange(
    target: string,
    body: Body,
    signal: AbortSignal,
    onProgress: AdminCallOptions['onProgress'],
  ): Promise<Record<string, unknown>> {
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    const outgoing = httpRequest({
      socketPath: this.socketPath,
      method: 'POST',
      path: `${adminPath}${target}`,
      agent: false,
      signal,
      headers: { 'content-type': body.type, 'content-length': body.bytes.length },
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
    outgoing.end(body.bytes);
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
