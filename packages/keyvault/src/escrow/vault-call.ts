import { KannukiError } from '@kannuki/core';
import type { VaultPort } from '../port.ts';

/**
 * Lets a driver's KannukiError through and replaces anything else that it throws: the text of a foreign exception may
 * quote the request, and the request holds the passphrase. For the same reason the cause is not kept.
 */
export async function vaultCall<Result>(
  vault: VaultPort,
  call: string,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof KannukiError) throw error;
    throw new KannukiError('KNK-KVT-0019', { details: { vault: vault.vaultUri, call } });
  }
}
