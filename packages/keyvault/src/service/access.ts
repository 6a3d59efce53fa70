import type { ObjectCollection } from '../object-id.ts';
import type { DataAction } from './actions.ts';

/** Who calls, as the face that looked at the token (or the socket) found out. */
export interface Caller {
  /** `oid` of the token: the principal that permissions are given to. */
  readonly objectId: string;
  /** `appid` of the token; null where the principal is no application. */
  readonly applicationId: string | null;
  readonly tenantId: string;
  /** Address of the peer, as the socket says it: no header is believed. `local` for the administrator's socket. */
  readonly address: string;
  /** The administrator of this machine (the unix socket of mode 0600) may do everything, and is audited like anybody. */
  readonly isLocalAdministrator: boolean;
}

/** What the management plane has decided about a vault and the data plane has to know. */
export interface VaultSettings {
  /** As it was created; compare without regard to letter case. */
  readonly name: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly location: string;
  readonly sku: 'standard' | 'premium';
  /** 7 to 90 (REQ-350). */
  readonly softDeleteRetentionDays: number;
  /** REQ-352: nothing is purged before its day, by nobody. */
  readonly purgeProtection: boolean;
}

/** The data plane asks, the management plane answers; nothing here waits, so that a call costs no round trip. */
export interface AccessControl {
  /** @returns undefined where there is no such vault, or it is deleted */
  vault(name: string): VaultSettings | undefined;
  /** REQ-324: the vault's network rules. */
  admitsAddress(vault: VaultSettings, caller: Caller): boolean;
  /**
   * REQ-356 to REQ-366. Must not depend on whether the object exists.
   * @param object null for calls on the whole collection (list, restore, random bytes)
   */
  permits(
    vault: VaultSettings,
    caller: Caller,
    action: DataAction,
    object: { readonly collection: ObjectCollection; readonly name: string } | null,
  ): boolean;
}
