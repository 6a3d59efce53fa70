import type { VolumeType } from '@kannuki/support';

/** What an owner asked for with `vm encryption enable`. */
export interface EncryptionRequest {
  /** GUID, new with every request (REQ-147). */
  readonly sequence: string;
  readonly volumeType: VolumeType;
  readonly vaultName: string;
  readonly vaultUri: string;
  /** Versioned id; null for no KEK. */
  readonly kekId: string | null;
  readonly kekVaultName: string | null;
  readonly stopServices: boolean;
}
