import type { AgentProblem, Finding, VolumeStatus } from '@kannuki/core';
import type { AuditEntry, AuditVerification, SealState } from '@kannuki/keyvault';
import type { BackUpReport } from '../backup/back-up.ts';
import type { EncryptionView } from '../vms/encryption-view.ts';

/**
 * What the administrator of this machine may ask of the server through its socket (`DATA/admin.sock`, mode 0600).
 * One operation a command of the command line; the same domain as every other face of the server. Each call is
 * `POST /admin/v1/OPERATION` with a JSON object; the answer is lines of JSON: any number of `{"progress":…}`, then one
 * `{"result":…}` or `{"error":…}`. Operations that take a passphrase are in `byte-operations.ts`.
 */
export interface AdminOperations {
  /** Absolute path of a folder that does not exist. */
  'server-backup': { input: { directory: string }; result: BackUpReport };
  'server-seal': { input: Record<never, never>; result: SealState };
  'server-seal-status': { input: Record<never, never>; result: SealState };
  'keyvault-create': {
    input: {
      name: string;
      resourceGroup: string;
      location: string | null;
      sku: 'standard' | 'premium';
      enabledForDiskEncryption: boolean;
    };
    result: object;
  };
  'keyvault-list': { input: Record<never, never>; result: readonly object[] };
  'keyvault-show': { input: { name: string }; result: object };
  'keyvault-key-create': {
    input: { vaultName: string; name: string; kind: 'RSA' | 'RSA-HSM'; bits: number };
    result: object;
  };
  'keyvault-key-list': { input: { vaultName: string }; result: readonly object[] };
  'keyvault-key-show': { input: { vaultName: string; name: string }; result: object };
  'ad-sp-create': { input: { displayName: string }; result: CreatedServicePrincipal };
  'ad-sp-list': { input: Record<never, never>; result: readonly ServicePrincipalView[] };
  'ad-sp-delete': { input: { id: string }; result: null };
  /** A new secret: every other credential of the principal ends. */
  'ad-sp-reset': { input: { id: string }; result: CreatedServicePrincipal };
  /** `certificate` is PEM. */
  'ad-sp-add-certificate': { input: { id: string; certificate: string }; result: { readonly thumbprint: string } };
  'image-build': { input: { name: string; force: boolean }; result: object };
  'image-list': { input: Record<never, never>; result: readonly object[] };
  'vm-create': {
    input: {
      resourceGroup: string;
      name: string;
      image: string;
      size: string;
      location: string | null;
      zone: string | null;
      dataDiskSizesGb: number[];
    };
    result: { readonly vm: object; readonly findings: readonly Finding[] };
  };
  'vm-list': { input: { resourceGroup: string | null }; result: readonly object[] };
  'vm-show': { input: VmInput; result: object };
  'vm-start': { input: VmInput; result: object };
  'vm-stop': { input: VmInput; result: object };
  'vm-restart': { input: VmInput; result: object };
  'vm-delete': { input: VmInput; result: null };
  'vm-ssh': { input: VmInput; result: { readonly arguments: readonly string[] } };
  'vm-console': { input: VmInput; result: { readonly path: string } };
  'vm-encryption-enable': {
    input: VmInput & {
      vaultName: string;
      kek: string | null;
      kekVaultName: string | null;
      volumeType: 'OS' | 'DATA' | 'ALL' | null;
      force: boolean;
      stopServices: boolean;
    };
    result: { readonly findings: readonly Finding[] };
  };
  'vm-encryption-show': { input: VmInput; result: EncryptionView | null };
  'vm-encryption-progress': { input: VmInput; result: EncryptionProgress };
  'audit-list': { input: AuditListInput; result: readonly AuditEntry[] };
  'audit-verify': { input: Record<never, never>; result: AuditVerification };
}

export interface AuditListInput {
  vault: string | null;
  operation: string | null;
  objectId: string | null;
  /** Milliseconds since 1970, inclusive. */
  from: number | null;
  /** Milliseconds since 1970, exclusive. */
  to: number | null;
  /** The newest so many. */
  limit: number;
}

/** As `az ad sp create-for-rbac` answers; the password is shown this once. */
export interface CreatedServicePrincipal {
  readonly appId: string;
  readonly objectId: string;
  readonly displayName: string;
  readonly password: string;
  readonly tenant: string;
}

export interface ServicePrincipalView {
  readonly appId: string;
  readonly id: string;
  readonly displayName: string;
  readonly servicePrincipalType: 'Application' | 'ManagedIdentity';
  readonly accountEnabled: boolean;
  /** ISO 8601. */
  readonly createdDateTime: string;
}

export interface VmInput {
  resourceGroup: string;
  name: string;
}

/** For `--wait`. */
export interface EncryptionProgress {
  readonly done: boolean;
  readonly volumes: readonly VolumeStatus[];
  readonly problems: readonly AgentProblem[];
}

export type AdminOperation = keyof AdminOperations;

/** What long operations say while they work. */
export interface AdminProgress {
  readonly step: string;
  readonly detail: string;
}

export const adminPath = '/admin/v1/';
export const adminSocketName = 'admin.sock';
