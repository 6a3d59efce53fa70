import { createHash } from 'node:crypto';
import type { KeyShape } from '../service/key-module.ts';
import type { NewKeySpec } from '../service/vault-objects.ts';
import { ScratchVault } from './scratch-vaults.ts';

/** A vault without purge protection, with the longest retention. */
export const terms = { retentionDays: 90, purgeProtection: false, premium: false };

export const p256: KeyShape = { kty: 'EC', crv: 'P-256' };
export const rsa2048: KeyShape = { kty: 'RSA', bits: 2048 };

/** An EC key that can do all it can. */
export function keySpec(change: Partial<NewKeySpec> = {}): NewKeySpec {
  const validity = { enabled: true, notBefore: null, expires: null };
  return { ...validity, shape: p256, hardware: false, operations: null, tags: {}, ...change };
}

export const digest = createHash('sha256').update('signed').digest();
export const firstPage = { limit: 25, after: null };
export const day = 86_400_000;

/** A vault whose clock the test sets: `time.now`, milliseconds since 1970. */
export async function vaultWithClock() {
  const time = { now: Date.parse('2026-01-01T00:00:00Z') };
  const scratch = await ScratchVault.make('kv-test', { clock: () => time.now });
  return Object.assign(scratch, { time, keys: scratch.vault.keys });
}
