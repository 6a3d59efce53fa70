/** What the server knows of a vault besides its keys and secrets. */
export interface VaultRecord {
  readonly name: string;
  readonly resourceGroup: string;
  readonly location: string;
  readonly sku: 'standard' | 'premium';
  /** REQ-115: without it the vault cannot be used for disks. */
  readonly enabledForDiskEncryption: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
