import { hasCode, KannukiError } from '@kannuki/core';
import type { AgentStore } from './agent-store.ts';
import { Backoff } from './backoff.ts';
import { joinServer } from './join.ts';
import { forgetJoinToken, provisionFolder, readProvision } from './provision.ts';
import { WakeUp } from './wake-up.ts';

export interface EnsureMemberOptions {
  readonly store: AgentStore;
  readonly signal: AbortSignal;
  /** Where the host puts what this start needs. */
  readonly provision?: string;
  readonly onWaiting?: (error: unknown) => void;
  readonly retryFirstMilliseconds?: number;
}

const longestRetryMilliseconds = 60_000;

/**
 * Sees to it that this VM is a member of the server that its host names. A token from the host means that the server
 * knows no good certificate of ours, so it wins over what is on disk, unless it was used already.
 * @throws KannukiError KNK-AGT-0001 where there is neither membership nor token; anything that waiting does not cure
 */
export async function ensureMember(options: EnsureMemberOptions): Promise<void> {
  const { store, signal } = options;
  const folder = options.provision ?? provisionFolder;
  const backoff = new Backoff(options.retryFirstMilliseconds ?? 2_000, longestRetryMilliseconds);
  const sleeping = new WakeUp();
  for (;;) {
    signal.throwIfAborted();
    const given = await readProvision(folder);
    if (given?.joinToken === undefined) {
      await requireMember(store, given);
      return;
    }
    try {
      const { serverUrl, authority, joinToken } = given;
      await joinServer(store, { serverUrl, authority, token: joinToken, force: true, signal });
      await forgetJoinToken(folder);
      return;
    } catch (error) {
      if (hasCode(error, 'KNK-SRV-0005') && (await isMember(store))) {
        await forgetJoinToken(folder);
        return;
      }
      if (!willPass(error)) throw error;
      options.onWaiting?.(error);
      await sleeping.sleep(backoff.nextMilliseconds(), signal);
    }
  }
}

async function requireMember(
  store: AgentStore,
  given: { readonly serverUrl: string; readonly authority: string } | undefined,
): Promise<void> {
  const { membership, identity } = await store.requireMember();
  using _pem = identity.pem;
  // Same authority, other address: the server has moved to another port.
  if (given === undefined || given.serverUrl === membership.serverUrl) return;
  if (given.authority.trim() === identity.authority.trim()) {
    await store.saveMembership({ ...membership, serverUrl: given.serverUrl });
  }
}

async function isMember(store: AgentStore): Promise<boolean> {
  const identity = await store.identity();
  identity?.pem[Symbol.dispose]();
  return identity !== undefined && (await store.membership()) !== undefined;
}

/** Not reachable, or told to come later. */
function willPass(error: unknown): boolean {
  return error instanceof KannukiError && (error.httpStatus === 503 || error.httpStatus === 429);
}
