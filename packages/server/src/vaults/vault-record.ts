import type { VaultProperties } from './vault-properties.ts';

/** What the server knows of a vault besides its keys and secrets. */
export interface VaultRecord {
  readonly name: string;
  readonly resourceGroup: string;
  readonly location: string;
  readonly sku: 'standard' | 'premium';
  /** REQ-115: without it the vault cannot be used for disks. */
  readonly enabledForDiskEncryption: boolean;
  readonly properties: VaultProperties;
  readonly tags: Readonly<Record<string, string>>;
  /** `creating` and `purging` are left behind by a crash only, and put right at the next start of the server. */
  readonly state: 'creating' | 'ready' | 'purging';
  /** Null for a live vault. Milliseconds since 1970. */
  readonly deletion: { readonly deletedAt: number; readonly purgeAt: number } | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
