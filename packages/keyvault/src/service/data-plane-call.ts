import type { Caller } from './access.ts';

/** A request to one vault, taken off HTTP: the data plane knows no framework, and bodies stay bytes. */
export interface DataPlaneRequest {
  readonly method: string;
  /** First label of the host name, as sent. */
  readonly vaultName: string;
  /** `https://HOST[:PORT]` as the client sees this vault, without slash: ids in answers begin with it. */
  readonly baseUrl: string;
  /** Path as sent, still percent-encoded, without the query. */
  readonly path: string;
  /** Query as sent, without the question mark. */
  readonly query: string;
  /** Taken over and wiped. */
  readonly body: Buffer;
  readonly caller: Caller;
  readonly requestId: string;
}

export interface DataPlaneReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or empty. May hold a secret: wipe it (`body.fill(0)`) when it was sent, and never log it. */
  readonly body: Buffer;
  /** What went wrong inside, for the operator's log; never part of the answer. */
  readonly failure?: unknown;
}

export interface DataPlanePort {
  /** Never throws. */
  handle(request: DataPlaneRequest): Promise<DataPlaneReply>;
}
